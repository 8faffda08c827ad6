// `npm run demo -- --once` as a user runs it: the whole main job on a control plane of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { STORY } from '../examples/demo/story.ts';

const DEMO = join(import.meta.dirname, '../examples/demo/demo.ts');

async function demo(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [DEMO, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
  return { code, output };
}

test('every step does what it should, and what it printed says so', async () => {
  const { code, output } = await demo('--once');
  assert.equal(code, 0, output);
  for (const [index, { title }] of STORY.entries()) assert.ok(output.includes(`${index + 1}  ${title}`), output);
  assert.match(output, /\/spec\/replicas +3 +9 +kubectl-edit \(Update\)/);
  assert.match(output, /checkout\/checkout\.yaml:7: /);
  assert.match(output, /catalog\/search\.yaml:\d+: Service shop-catalog\/search: /);
  assert.match(output, /EM010 .*checkout\/mappings\.yaml:\d+.*catalog\/cart\.yaml:1/);
  assert.match(output, /All 10 steps did what they should/);
});

test('a kubeconfig that is none ends with a message and a code', async () => {
  const { code, output } = await demo('--once', '--kubeconfig', import.meta.filename);
  assert.equal(code, 1);
  assert.match(output, /demo-once\.test\.ts cannot be read as a kubeconfig/);
});
