// Two scripts started at once in one checkout install its packages once; a run that was killed holds nobody up for ever.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

const SETUP = join(import.meta.dirname, 'setup.mjs');

/** A checkout of its own, with an `npm` that takes a second and fails when another one is at work. */
function checkout(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-setup-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'package-lock.json'), '{}');
  const npm = join(dir, 'npm');
  writeFileSync(
    npm,
    `#!/bin/sh
rm -rf node_modules && mkdir node_modules || exit 3
echo run >> runs
sleep 1
echo '{}' > node_modules/.package-lock.json
`,
  );
  chmodSync(npm, 0o755);
  return dir;
}

async function setUp(dir: string): Promise<number | null> {
  const env = { ...process.env, PATH: `${dir}${delimiter}${process.env['PATH']}` };
  const child = spawn(process.execPath, [SETUP], { cwd: dir, env, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

const runsIn = (dir: string) => readFileSync(join(dir, 'runs'), 'utf8').split('\n').length - 1;

describe('the packages of a checkout', { concurrency: true }, () => {
  it('are installed once by four runs at a time, and not again', async (t) => {
    const dir = checkout(t);
    assert.deepEqual(await Promise.all([setUp(dir), setUp(dir), setUp(dir), setUp(dir)]), [0, 0, 0, 0]);
    assert.equal(runsIn(dir), 1);
    assert.equal(await setUp(dir), 0);
    assert.equal(runsIn(dir), 1);
    assert.ok(!existsSync(join(dir, '.setup-lock')));
  });

  it('are installed although a run was killed that held the lock', async (t) => {
    const dir = checkout(t);
    mkdirSync(join(dir, '.setup-lock'));
    assert.equal(await setUp(dir), 0);
    assert.equal(runsIn(dir), 1);
  });

  it('are tried again by a second run when the first one fails', async (t) => {
    const dir = checkout(t);
    const npm = readFileSync(join(dir, 'npm'), 'utf8');
    writeFileSync(join(dir, 'npm'), npm.replace('sleep 1', '[ "$(wc -l < runs)" -gt 1 ] || { sleep 1; exit 5; }'));
    const codes = await Promise.all([setUp(dir), setUp(dir)]);
    assert.ok(codes.includes(0) && codes.includes(5), String(codes));
    assert.equal(runsIn(dir), 2);
  });
});
