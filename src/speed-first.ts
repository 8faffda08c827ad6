import { setFlagsFromString } from 'node:v8';
import { LAUNCHED } from './relaunch.ts';

/** How many such works are under way. */
let working = 0;

/**
 * Does work with V8's usual balance between time and memory; when nothing of this sort is under way any more, memory comes first
 * (`--optimize-for-size`), as one wants at rest: collections then aim at little memory, and cost up to half of the time of work that
 * makes a hundred thousand objects. V8 looks at the flag at each collection, of every thread. The size of a young generation it takes
 * when a thread starts: within the work from the limits of the thread, else 1 MB; that of the main thread stays as it is. The operator
 * starts as if such work were under way. Only a process with its flags (`relaunch`) is turned; where V8 heeds none of it, work just takes longer.
 */
export async function speedFirst<T>(work: () => Promise<T>): Promise<T> {
  if (process.env[LAUNCHED] === undefined) return work();
  working += 1;
  setFlagsFromString('--no-optimize-for-size');
  setFlagsFromString('--max-semi-space-size=0');
  try {
    return await work();
  } finally {
    working -= 1;
    if (working === 0) {
      setFlagsFromString('--optimize-for-size');
      setFlagsFromString('--max-semi-space-size=1');
    }
  }
}
