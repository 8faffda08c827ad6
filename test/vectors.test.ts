// `npm run vectors` on files that nobody has seen: each difference is printed, and what cannot be read is one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { folder } from './cli-process.ts';

const HERE = import.meta.dirname;
const EDGE = readFileSync(join(HERE, 'vectors/edge/directed.jsonl'), 'utf8').split('\n').slice(0, 3);
const YAML = JSON.parse(readFileSync(join(HERE, 'vectors/yaml/kubectl.json'), 'utf8')) as object[];

function vectors(cwd: string, ...args: string[]): Promise<{ code: number; stdout: string; last: string }> {
  const env = { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', INIT_CWD: cwd };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(HERE, 'vectors.ts'), ...args], { env }, (error, stdout) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, last: stdout.trimEnd().split('\n').at(-1) ?? '' });
    });
  });
}

it('agrees with the edge that was recorded, in several files, as lines or as a list', async () => {
  const list = JSON.stringify(EDGE.map((line) => JSON.parse(line) as object));
  using dir = folder({ 'a.jsonl': EDGE.join('\r\n'), 'b.json': list });
  const { code, last } = await vectors(dir.path, 'edge', 'a.jsonl', 'b.json');
  assert.deepEqual([code, last], [0, '6 agree, 0 differ']);
});

it('prints what differs, and what cannot be read, with its place', async () => {
  const changed = JSON.parse(EDGE[0]!) as { observed: { groups: unknown[] } };
  changed.observed.groups = [];
  const lines = [JSON.stringify(changed), '{"id": "cut', 'null', '{"id": "x"}', EDGE[1]].join('\n');
  using dir = folder({ 'a.jsonl': lines, 'empty.jsonl': '' });
  const { code, stdout, last } = await vectors(dir.path, 'edge', 'a.jsonl', 'empty.jsonl', 'missing.jsonl');
  assert.deepEqual([code, last], [1, '1 agree, 6 differ']);
  for (const place of [
    /a\.jsonl:1 .*\n {2}groups\[0\]/,
    /a\.jsonl:2 is not JSON/,
    /a\.jsonl:3 is no case/,
    /empty.*no case/,
  ])
    assert.match(stdout, place);
});

it('the same for YAML', async () => {
  const [first, second] = YAML as { kubectl: object }[];
  const changed = { ...first, kubectl: { objects: ['{"kind":"Other"}'] } };
  using dir = folder({ 'k.json': JSON.stringify([changed, second, 5]), 'cut.json': '[{' });
  const { code, last } = await vectors(dir.path, 'yaml', 'k.json', 'cut.json');
  assert.deepEqual([code, last], [1, '1 agree, 3 differ']);
});

it('refuses to compare nothing', async () => {
  for (const args of [['edge'], ['other', 'x'], ['edge', '--only', 'grups', 'x'], ['edge', '--nope', 'x']])
    assert.equal((await vectors('.', ...args)).code, 2);
});
