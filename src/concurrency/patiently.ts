import type { Clock } from '../clock.ts';

export interface Patience {
  clock: Clock;
  /** Is there something more urgent to do? Default: never. */
  isBusy?: (() => boolean) | undefined;
}

/** Calls `work` in `waitMs`; while there is something more urgent to do, up to `patienceMs` later. Returns what cancels it. */
export function patiently(
  { clock, isBusy }: Patience,
  { waitMs, patienceMs = 0 }: { waitMs: number; patienceMs?: number },
  work: () => void,
): () => void {
  let cancel: () => void;
  const wait = (ms: number, leftMs: number) => {
    cancel = clock.after(ms, () => {
      const nextMs = Math.min(waitMs, leftMs);
      if (nextMs > 0 && isBusy?.()) wait(nextMs, leftMs - nextMs);
      else work();
    });
  };
  wait(waitMs, patienceMs);
  return () => cancel();
}
