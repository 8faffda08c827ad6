// A `go` that only pretends: the real one takes minutes, and cannot be older, newer, broken and absent at once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { until } from './until.ts';

/** A folder that is cache and PATH; `builds` tells how often and with which experiments `go build` ran. */
function pretend(goVersion: string | undefined, build = 'echo binary > "$output"') {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-build-'));
  const log = join(dir, 'builds.log');
  const script = `#!/bin/sh
if [ "$1" = env ]; then echo ${goVersion}; exit; fi
while [ "$1" != -o ]; do shift; done
output=$2
echo "built $GOEXPERIMENT" >> ${log}
${build}
`;
  if (goVersion !== undefined) writeFileSync(join(dir, 'go'), script, { mode: 0o755 });
  return {
    dir,
    builds: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    binaries: () => readdirSync(dir).filter((name) => name.startsWith('cluster-')),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** buildCluster in a process of its own; resolves with the path, rejects with its message. */
async function buildIn(dir: string, path = [dir, '/usr/bin', '/bin']): Promise<string> {
  const module = import.meta.resolve('./cluster-binary.ts');
  const script = `
    const { buildCluster } = await import(${JSON.stringify(module)});
    try { console.log(await buildCluster()); } catch (error) { console.error(error.message); process.exit(1); }`;
  const env = { PATH: path.join(delimiter), HOME: dir, PLUMBLINE_CACHE: dir };
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env })).stdout.trim();
}

test('it is built once, then found', async () => {
  using go = pretend('go1.26.8');
  const binary = await buildIn(go.dir);
  assert.equal(readFileSync(binary, 'utf8'), 'binary\n');
  assert.equal(await buildIn(go.dir), binary);
  assert.deepEqual(go.builds(), ['built']);
  assert.equal(go.binaries().length, 1, 'no lock and no half of a binary is left');
});

test('of two processes one builds, the other waits for it', async () => {
  using go = pretend(
    'go1.26.8',
    'while [ ! -e "$(dirname "$output")/go-on" ]; do sleep 0.05; done; echo binary > "$output"',
  );
  const both = [buildIn(go.dir), buildIn(go.dir)];
  await until(() => go.builds().length > 0);
  writeFileSync(join(go.dir, 'go-on'), '');
  const [first, second] = await Promise.all(both);
  assert.equal(first, second);
  assert.deepEqual(go.builds(), ['built']);
});

test('the lock of a dead process does not hold', async () => {
  using go = pretend('go1.26.8');
  const binary = await buildIn(go.dir);
  rmSync(binary);
  writeFileSync(`${binary}.lock`, '99999999');
  assert.equal(await buildIn(go.dir), binary);
});

test('a newer Go builds another binary, without its new JSON package', async () => {
  using go = pretend('go1.27.4');
  await buildIn(go.dir);
  assert.deepEqual(go.builds(), ['built nojsonv2']);
});

test('binaries that nobody has used for a week make room', async () => {
  using go = pretend('go1.26.8');
  const [unused, used] = [join(go.dir, 'cluster-unused'), join(go.dir, 'cluster-used')];
  for (const file of [unused, used]) writeFileSync(file, '');
  const longAgo = new Date(Date.now() - 8 * 24 * 3600_000);
  utimesSync(unused, longAgo, longAgo);
  await buildIn(go.dir);
  assert.deepEqual([existsSync(unused), existsSync(used)], [false, true]);
});

test('without a Go that can build it, the message says what to do', async () => {
  using none = pretend(undefined);
  await assert.rejects(
    buildIn(none.dir, [none.dir]),
    /Go 1\.26, but no `go` is in the PATH.*go\.dev.*--kubeconfig FILE/,
  );
  using old = pretend('go1.21.3');
  await assert.rejects(buildIn(old.dir), /needs Go 1\.26, but this is go1\.21\.3.*--kubeconfig FILE/);
  using broken = pretend('go1.26.8', 'echo no space left >&2; exit 1');
  await assert.rejects(buildIn(broken.dir), /go build of .* failed:\s+no space left/);
  assert.deepEqual(broken.binaries(), []);
});
