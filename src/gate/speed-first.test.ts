import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Starts a thread within such work, and one after it; says how large the young generation of each grew, in MB. */
const SCRIPT = `
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { speedFirst } from ${JSON.stringify(new URL('./speed-first.ts', import.meta.url).href)};
const code = \`
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const kept = [];
  for (let at = 0; at < 500_000; at++) kept.push({ at });
  const { space_size } = process.getBuiltinModule('node:v8').getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  parentPort.postMessage(space_size / 2 ** 20);
\`;
const size = async () => {
  const worker = new Worker(code, { eval: true, resourceLimits: { maxYoungGenerationSizeMb: 24 } });
  const [megabytes] = await once(worker, 'message');
  return megabytes;
};
console.log(JSON.stringify([await speedFirst(size), await size()]));`;

function sizes(...flags: string[]): number[] {
  const args = [...flags, '--input-type=module', '--eval', SCRIPT];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as number[];
}

test('where memory comes first, a thread has the young generation that it asks for only within the work', () => {
  const [within, after] = sizes('--optimize-for-size') as [number, number];
  assert.ok(within >= 8, `${within} MB`);
  assert.ok(after <= 2, `${after} MB`);
});

test('elsewhere nothing is turned', () => {
  const [within, after] = sizes() as [number, number];
  assert.ok(within >= 8 && after >= 8, `${within} MB, ${after} MB`);
});
