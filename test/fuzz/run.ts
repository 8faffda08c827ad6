// `npm run fuzz -- [--seconds N] [--seed S] [--case C] [TARGET…]`: spoilt inputs for everything that reads what others wrote.
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { anySeed } from '../random.ts';
import { TARGETS } from './targets.ts';
import type { FuzzNews, FuzzOrder } from './thread.ts';

export interface FuzzResult {
  target: string;
  cases: number;
  /** How many were refused with an error of ours. */
  recognised: number;
  /** The finding that ended it. */
  failure?: string;
}

/** A case that is silent for so long hangs: of the processor's time in a loop, of the clock's while it waits. */
const LOOPS_MS = 20_000;
const WAITS_MS = 180_000;
const HEAP_MB = 512;
/** Buffers are outside of the heap. */
const GROWTH_BYTES = 768 * 1024 * 1024;

/** Runs one target in a thread until its time is over, its cases are done, or something is found. */
export async function fuzz(order: FuzzOrder): Promise<FuzzResult> {
  const result: FuzzResult = { target: order.target, cases: 0, recognised: 0 };
  const worker = new Worker(new URL('thread.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  let at = order.from;
  let heard = { at: performance.now(), usage: process.cpuUsage() };
  const fail = (number: number, why: string) =>
    (result.failure ??= `${order.target}, seed ${order.seed}, case ${number}: ${why}\nagain: npm run fuzz -- --seed ${order.seed} --case ${number} ${order.target}`);
  const allowed = process.memoryUsage.rss() + GROWTH_BYTES;
  const watch = setInterval(() => {
    const { user, system } = process.cpuUsage(heard.usage);
    if ((user + system) / 1000 > LOOPS_MS) fail(at, `no end after ${LOOPS_MS} ms of processor time`);
    else if (performance.now() - heard.at > WAITS_MS) fail(at, `no end after ${WAITS_MS} ms`);
    else if (process.memoryUsage.rss() > allowed) fail(at, `the process grew by more than ${GROWTH_BYTES} bytes`);
    else return;
    void worker.terminate();
  }, 100);
  worker.on('message', (news: FuzzNews) => {
    heard = { at: performance.now(), usage: process.cpuUsage() };
    if ('begun' in news) at = news.begun;
    else if ('failed' in news) fail(news.failed, news.why);
    else Object.assign(result, news);
  });
  worker.on('error', (error) => void fail(at, error instanceof Error ? (error.stack ?? error.message) : String(error)));
  await new Promise((resolve) => worker.once('exit', resolve));
  clearInterval(watch);
  return result;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' }, case: { type: 'string' } },
  });
  const unknown = positionals.filter((name) => !(name in TARGETS));
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(TARGETS).join(', ')}`);
  const seed = Number(values.seed ?? anySeed());
  const from = Number(values.case ?? 0);
  const to = values.case === undefined ? Infinity : from + 1;
  for (const target of positionals.length > 0 ? positionals : Object.keys(TARGETS)) {
    const { cases, recognised, failure } = await fuzz({ target, seed, from, to, seconds: Number(values.seconds) });
    console.log(`${target}: ${cases} cases, ${recognised} refused${failure === undefined ? '' : `\n${failure}`}`);
    if (failure !== undefined) process.exitCode = 1;
  }
}

if (import.meta.main) await main();
