import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LAUNCHED, OPERATOR_FLAGS } from './relaunch.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumbline-launch-'));
after(() => rmSync(folder, { recursive: true }));

/** How many functions V8 compiles anew while the operator is loaded. */
function compiledWith(cacheDir: string): number {
  const launch = join(import.meta.dirname, 'launch.ts');
  const args = [
    ...OPERATOR_FLAGS,
    '--trace-opt',
    launch,
    '--metrics-address',
    '0',
    `--cache-dir=${cacheDir}`,
    '--help',
  ];
  const told = execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, [LAUNCHED]: '1' } });
  assert.match(told, /plumbline-operator \[flags\]/);
  return told.match(/^\[compiling method/gm)?.length ?? 0;
}

test('a process that finds no mirrors compiles nothing anew from the first line on, one that finds some does', () => {
  const mirrors = join(folder, 'warm');
  mkdirSync(join(mirrors, 'a'.repeat(32)), { recursive: true });
  mkdirSync(join(folder, 'cold', 'lost+found'), { recursive: true });
  assert.equal(compiledWith(join(folder, 'none')), 0);
  assert.equal(compiledWith(join(folder, 'cold')), 0);
  assert.notEqual(compiledWith(mirrors), 0);
});
