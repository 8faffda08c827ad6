/** Time as the deciding code sees it: injected, so that a test moves it by hand. */
export interface Clock {
  /** Milliseconds since the epoch, for timestamps that people read. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds since some moment; never goes back. For every duration and due time. */
  elapsed(): number;
  /** Calls back once, `ms` from now; the result takes it back. Below about 24.8 days (the limit of setTimeout). */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
