import type { KubeError } from './errors.ts';

/** The server answered before doing anything, or never heard us: even a create may be sent again. */
const NOTHING_HAPPENED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const BASE_MS = 100;
const CAP_MS = 5_000;

export interface RetryQuestion {
  /** 0 after the first failure. */
  attempt: number;
  /** True: the request may be executed twice without harm. Undefined: only when nothing can have happened. False: never. */
  retry: boolean | undefined;
  /** Time left until the deadline of the whole call. */
  remainingMs: number;
  /** [0, 1) */
  random: number;
}

/**
 * How long to wait before the same request is sent again, or undefined: do not. Exponential with full jitter; a Retry-After
 * is never undercut, and spread a little so that those who were refused together do not come back together.
 */
export function retryDelayMs(
  error: KubeError,
  { attempt, retry, remainingMs, random }: RetryQuestion,
): number | undefined {
  if (retry === false || !(nothingHappened(error) || (retry && isPassing(error)))) return undefined;
  const backoffMs = Math.min(CAP_MS, BASE_MS * 2 ** attempt);
  const delayMs =
    error.retryAfterMs === undefined
      ? backoffMs * (0.5 + random / 2)
      : error.retryAfterMs + Math.min(backoffMs, 1_000) * random;
  return delayMs < remainingMs ? delayMs : undefined;
}

function nothingHappened(error: KubeError): boolean {
  if (error.status === 429) return true;
  const code = (error.cause as { code?: unknown } | undefined)?.code;
  return error.code === 'ApiUnreachable' && typeof code === 'string' && NOTHING_HAPPENED.has(code);
}

function isPassing(error: KubeError): boolean {
  return error.code === 'ApiUnreachable' || error.status === 502 || error.status === 503 || error.status === 504;
}

/** Delays of a loop that never gives up: from `firstMs`, doubling up to `capMs`, each between half and the whole of it. */
export class Backoff {
  readonly #firstMs: number;
  readonly #capMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({ firstMs, capMs, random = Math.random }: { firstMs: number; capMs: number; random?: () => number }) {
    this.#firstMs = firstMs;
    this.#capMs = capMs;
    this.#random = random;
  }

  nextMs(): number {
    const delayMs = Math.min(this.#capMs, this.#firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return delayMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
