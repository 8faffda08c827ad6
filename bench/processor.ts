import { readFileSync } from 'node:fs';

/** USER_HZ: what Linux counts processor time in, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor seconds that these processes have used, with their ended children. Others on the machine do not change it much. */
export function processorSeconds(pids: readonly number[]): number {
  const ticks = pids.flatMap((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold blanks; utime, stime, cutime and cstime are fields 14 to 17.
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}
