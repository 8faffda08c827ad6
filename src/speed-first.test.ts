import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { LAUNCHED, OPERATOR_FLAGS } from './relaunch.ts';

/** Starts a thread within such work, and one after it; says how large the young generation of each may become, in MB. */
const SCRIPT = `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { speedFirst } from ${JSON.stringify(new URL('./speed-first.ts', import.meta.url).href)};
const code = \`
  const { heap_size_limit } = process.getBuiltinModule('node:v8').getHeapStatistics();
  process.getBuiltinModule('node:worker_threads').parentPort.postMessage(heap_size_limit / 2 ** 20 - 64);
\`;
const size = async () => {
  const limits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 24 };
  const worker = new Worker(code, { eval: true, resourceLimits: limits });
  const [megabytes] = await once(worker, 'message');
  return megabytes;
};
const overlapping = async () => {
  const first = speedFirst(size);
  await speedFirst(async () => {});
  return first;
};
console.log(JSON.stringify([await speedFirst(size), await size(), await overlapping(), await size()]));`;

/** Says of a function that runs often whether it is compiled anew: as the process starts, at rest, within such work, after it. */
const OFTEN = `
import { memoryFirst, speedFirst } from ${JSON.stringify(new URL('./speed-first.ts', import.meta.url).href)};
const OPTIMISED = 16;
let made = 0;
const isOptimised = () => {
  const often = new Function('n', \`let sum = \${made++}; for (let at = 0; at < n; at++) sum += at % 7; return sum;\`);
  for (let at = 0; at < 20_000; at++) often(50);
  return (%GetOptimizationStatus(often) & OPTIMISED) !== 0;
};
const atFirst = isOptimised();
memoryFirst();
const atRest = isOptimised();
const within = await speedFirst(async () => isOptimised());
console.log(JSON.stringify([atFirst, atRest, within, isOptimised()]));`;

function answersOf(script: string, env: NodeJS.ProcessEnv, flags: readonly string[] = []): unknown[] {
  const args = [...OPERATOR_FLAGS, ...flags, '--input-type=module', '--eval', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env })) as unknown[];
}

function sizes(env: NodeJS.ProcessEnv): number[] {
  return answersOf(SCRIPT, env) as number[];
}

test('a thread of the operator has the young generation that it asks for only within such work', () => {
  // Three times the 1 MB of `--max-semi-space-size`.
  assert.deepEqual(sizes({ [LAUNCHED]: '1' }), [24, 3, 24, 3]);
});

test('what runs often is compiled anew only within such work', () => {
  const flags = ['--allow-natives-syntax', '--no-concurrent-recompilation'];
  assert.deepEqual(answersOf(OFTEN, { [LAUNCHED]: '1' }, flags), [true, false, true, false]);
});

test('elsewhere nothing is turned', () => {
  const [within, after] = sizes({}) as [number, number];
  assert.equal(within, after);
});
