import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Git, RefSelector, Remote } from '../git/remote.ts';

interface Subscription {
  remote: Remote;
  ref: RefSelector;
  intervalMs: number;
  timeoutMs: number;
  /** The commit, or the code of the error, that the source has dealt with. */
  seen: string | undefined;
}

interface Poll {
  subscribers: Set<string>;
  cancel: (() => void) | undefined;
  running: boolean;
}

export interface PollerOptions {
  git: Git;
  clock: Clock;
  random: () => number;
  signal: AbortSignal;
  /** The ref names another commit now, or asking has begun or ceased to fail. */
  onChange: (source: string) => void;
}

/** Polls spread a little, so that a hundred repositories of one host are not asked in the same moment. */
const JITTER = 0.1;

/**
 * Asks each repository what its refs name now: one small request for all sources of it, at the shortest of their intervals.
 * A source is only woken when there is something new for it.
 */
export class Poller {
  readonly #options: PollerOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #polls = new Map<string, Poll>();

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Begins or goes on to follow a ref for the source; `seen` is what it has just dealt with. */
  follow(source: string, subscription: Subscription): void {
    const key = repositoryKey(subscription.remote);
    const before = this.#subscriptions.get(source);
    if (before && repositoryKey(before.remote) !== key) this.forget(source);
    this.#subscriptions.set(source, subscription);
    let poll = this.#polls.get(key);
    if (!poll) this.#polls.set(key, (poll = { subscribers: new Set(), cancel: undefined, running: false }));
    const shortened = before !== undefined && subscription.intervalMs < before.intervalMs;
    poll.subscribers.add(source);
    if (shortened) poll.cancel?.();
    if (shortened || !poll.cancel) this.#schedule(key, poll);
  }

  forget(source: string): void {
    const subscription = this.#subscriptions.get(source);
    if (!subscription) return;
    this.#subscriptions.delete(source);
    const key = repositoryKey(subscription.remote);
    const poll = this.#polls.get(key);
    poll?.subscribers.delete(source);
    if (!poll || poll.subscribers.size > 0) return;
    poll.cancel?.();
    this.#polls.delete(key);
  }

  #schedule(key: string, poll: Poll): void {
    if (poll.running || this.#options.signal.aborted) return;
    const intervals = this.#subscribers(poll).map(([, { intervalMs }]) => intervalMs);
    const jitter = 1 + (this.#options.random() - 0.5) * JITTER;
    poll.cancel = this.#options.clock.after(Math.min(...intervals) * jitter, () => void this.#poll(key, poll));
  }

  async #poll(key: string, poll: Poll): Promise<void> {
    poll.running = true;
    // One repository that hangs holds only its own poll; refs of one repository share one answer.
    await Promise.all(this.#subscribers(poll).map(([source, subscription]) => this.#ask(source, subscription)));
    poll.running = false;
    if (this.#polls.get(key) === poll) this.#schedule(key, poll);
  }

  async #ask(source: string, { remote, ref, timeoutMs }: Subscription): Promise<void> {
    const { git, signal, onChange } = this.#options;
    let now: string;
    try {
      now = (await git.resolve(remote, ref, { signal, timeoutMs, maxAgeMs: 500 })).commit;
    } catch (error) {
      if (signal.aborted) return;
      now = (error as { code?: string }).code ?? 'failed';
    }
    const current = this.#subscriptions.get(source);
    if (current && current.seen !== now) onChange(source);
  }

  #subscribers(poll: Poll): [string, Subscription][] {
    return [...poll.subscribers].flatMap((source) => {
      const subscription = this.#subscriptions.get(source);
      return subscription ? [[source, subscription]] : [];
    });
  }
}

/** Sources with equal keys share polls. Hashed: it holds credentials. */
export function repositoryKey(remote: Remote): string {
  return createHash('sha256').update(JSON.stringify(remote)).digest('base64url');
}
