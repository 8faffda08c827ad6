import type { Random } from '../random.ts';

/** One thing that reads what others wrote. */
export interface FuzzTarget {
  /** Makes the valid inputs; once for each thread. */
  prepare?: () => Promise<void>;
  /**
   * One case. It may throw a PlumblineError: bad input that was recognised. Anything else that it throws is a finding, as are
   * a case that takes long and one that takes much memory.
   */
  run: (random: Random) => void | Promise<void>;
}
