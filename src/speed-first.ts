import { setFlagsFromString } from 'node:v8';
import { LAUNCHED } from './relaunch.ts';

const FOR_SPEED = ['--no-optimize-for-size', '--max-semi-space-size=0', '--maglev', '--turbofan'];
const FOR_MEMORY = ['--optimize-for-size', '--max-semi-space-size=1', '--no-maglev', '--no-turbofan'];

/** How many such works are under way. */
let working = 0;

/**
 * Does work with V8's usual balance between time and memory; when nothing of this sort is under way any more, memory comes first
 * as one wants at rest. Then collections aim at little memory (`--optimize-for-size`), which costs up to half of the time of work that
 * makes a hundred thousand objects, and the optimising compilers do nothing: with a thousand objects they gain no time, and 5 MB of
 * their own code are never touched. V8 looks at these flags at each collection and when a function has run often, of every thread. The size
 * of a young generation it takes when a thread starts: within the work from the limits of the thread, else 1 MB; that of the main thread stays as it is.
 * Only a process with its flags (`relaunch`) is turned; where V8 heeds none of it, work just takes longer.
 */
export async function speedFirst<T>(work: () => Promise<T>): Promise<T> {
  working += 1;
  turn(FOR_SPEED);
  try {
    return await work();
  } finally {
    working -= 1;
    if (working === 0) memoryFirst();
  }
}

/** As it is outside of such work, from here on. */
export function memoryFirst(): void {
  turn(FOR_MEMORY);
}

function turn(flags: readonly string[]): void {
  if (process.env[LAUNCHED] === undefined) return;
  for (const flag of flags) setFlagsFromString(flag);
}
