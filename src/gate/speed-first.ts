import { setFlagsFromString } from 'node:v8';

/** How the operator is started (`OPERATOR_FLAGS`); elsewhere there is nothing to turn. */
const isSizeFirst = process.execArgv.includes('--optimize-for-size');

/**
 * Does work in a thread with V8's usual balance between time and memory. The operator's `--optimize-for-size` holds for every
 * thread of its process, whatever the limits of a thread say: young generations of 1 MB, and collections that aim at little
 * memory. At rest that is what one wants. Where a thread makes a hundred thousand objects it is half of the time. V8 looks at
 * the flag at each collection, and at the size of a young generation when a thread starts; so both are turned for as long as the
 * work goes on, for the main thread as well, whose young generation stays as it is. Where V8 heeds neither, it just takes longer.
 * One such work at a time.
 */
export async function speedFirst<T>(work: () => Promise<T>): Promise<T> {
  if (!isSizeFirst) return work();
  setFlagsFromString('--no-optimize-for-size');
  setFlagsFromString('--max-semi-space-size=0');
  try {
    return await work();
  } finally {
    setFlagsFromString('--optimize-for-size');
    setFlagsFromString('--max-semi-space-size=1');
  }
}
