// The thread in which cases run: it can be ended when one of them hangs or eats memory.
import { parentPort, workerData } from 'node:worker_threads';
import { PlumblineError } from '../../src/errors.ts';
import { Random } from '../random.ts';
import { TARGETS } from './targets.ts';

export interface FuzzOrder {
  target: string;
  seed: number;
  /** The first case, and the one to stop before. */
  from: number;
  to: number;
  /** Wall clock. */
  seconds: number;
}

/** `begun` tells which case is under way, should the thread never speak again. */
export type FuzzNews = { begun: number } | { failed: number; why: string } | { cases: number; recognised: number };

/** Of the processor, not of the clock: the machine may be busy with other things. */
const SLOW_MS = 3_000;

async function main({ target, seed, from, to, seconds }: FuzzOrder): Promise<void> {
  const port = parentPort!;
  const { run, prepare } = await TARGETS[target]!();
  await prepare?.();
  const end = performance.now() + seconds * 1000;
  let recognised = 0;
  let at = from;
  let failed: unknown;
  // What is thrown outside of the case's own promises is a crash of the operator.
  process.on('uncaughtException', (error) => (failed = error));
  for (; at < to && performance.now() < end; at += 1) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    port.postMessage({ begun: at } satisfies FuzzNews);
    const before = process.threadCpuUsage();
    try {
      await run(new Random(seed * 1_000_003 + at));
    } catch (error) {
      if (error instanceof PlumblineError) recognised += 1;
      else failed = error;
    }
    const { user, system } = process.threadCpuUsage(before);
    const usedMs = (user + system) / 1000;
    if (failed === undefined && usedMs > SLOW_MS) failed = new Error(`took ${usedMs.toFixed(0)} ms of processor time`);
    if (failed === undefined) continue;
    const why = failed instanceof Error ? (failed.stack ?? failed.message) : 'something that is no Error was thrown';
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    port.postMessage({ failed: at, why } satisfies FuzzNews);
    break;
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  port.postMessage({ cases: at - from, recognised } satisfies FuzzNews);
  process.exit();
}

await main(workerData as FuzzOrder);
