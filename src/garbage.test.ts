import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { OPERATOR_FLAGS } from './relaunch.ts';

/** Makes garbage that has grown old; says whether it is still there before and after the collection. */
const SCRIPT = `
import { collectGarbage } from ${JSON.stringify(new URL('./garbage.ts', import.meta.url).href)};
let kept = Array.from({ length: 400_000 }, (_, at) => ({ at }));
const { heapUsed: full } = process.memoryUsage();
kept = undefined;
collectGarbage();
console.log(full - process.memoryUsage().heapUsed > 5e6);`;

function givesBack(flags: readonly string[]): boolean {
  const args = [...flags, '--input-type=module', '--eval', SCRIPT];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as boolean;
}

test('the operator gives back what is garbage', () => {
  assert.equal(givesBack(OPERATOR_FLAGS), true);
});

test('elsewhere nothing is collected, and nothing fails', () => {
  assert.equal(givesBack([]), false);
});
