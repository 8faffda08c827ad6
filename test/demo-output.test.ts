// What the demo prints, as tables of cases.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { liveTable } from '../examples/demo/live.ts';
import { complaints, driftReport, hasApplied, hasRejected, kindCounts, namesPlace } from '../examples/demo/report.ts';
import { replaced } from '../examples/demo/shop.ts';
import { createTerminal, duration, table } from '../examples/demo/terminal.ts';

function source(status: Partial<GitOpsSourceStatus>): KubeObject {
  const metadata = { namespace: 'shop', name: 'web' };
  return { apiVersion: 'plumbline.dev/v1alpha1', kind: 'GitOpsSource', metadata, status };
}

function ready(status: 'True' | 'False', message = ''): NonNullable<GitOpsSourceStatus['conditions']> {
  return [{ type: 'Ready', status, reason: 'Any', message, lastTransitionTime: '2026-01-01T00:00:00Z' }];
}

/** A stream that keeps what is written. */
function stream(isTTY: boolean): { written: () => string; stream: NodeJS.WriteStream } {
  let text = '';
  const write = (chunk: string): boolean => ((text += chunk), true);
  return { written: () => text, stream: { isTTY, columns: 20, write } as unknown as NodeJS.WriteStream };
}

test('a duration is said in the unit that fits', () => {
  const cases: [number, string][] = [
    [-0.2, '0.0 ms'],
    [3.44, '3.4 ms'],
    [812.4, '812 ms'],
    [2940, '2.9 s'],
    [72_000, '1 min 12 s'],
  ];
  for (const [ms, text] of cases) assert.equal(duration(ms), text);
});

test('a table has columns as wide as their longest cell', () => {
  assert.deepEqual(
    table([
      ['A', 'B'],
      ['long', 'x'],
    ]),
    ['A     B', 'long  x'],
  );
  assert.deepEqual(table([]), []);
});

test('colour and repainting are for a terminal, colour only without NO_COLOR', () => {
  const looks = (isTTY: boolean, environment: NodeJS.ProcessEnv): { colour: boolean; moves: boolean } => {
    const { written, stream: target } = stream(isTTY);
    const terminal = createTerminal(target, environment);
    terminal.done('step', 'fine', 3);
    const colour = written() !== stripVTControlCharacters(written());
    terminal.repaint(['a']);
    terminal.repaint(['b']);
    return { colour, moves: written().includes('\u001b[1A') };
  };
  assert.deepEqual(looks(true, {}), { colour: true, moves: true });
  assert.deepEqual(looks(true, { NO_COLOR: '1' }), { colour: false, moves: true });
  assert.deepEqual(looks(true, { TERM: 'dumb' }), { colour: false, moves: false });
  assert.deepEqual(looks(false, {}), { colour: false, moves: false });
});

test('a repainted line never wraps on a terminal, and is whole elsewhere', () => {
  const long = 'x'.repeat(30);
  const [narrow, pipe] = [stream(true), stream(false)];
  createTerminal(narrow.stream, {}).repaint([long]);
  createTerminal(pipe.stream, {}).repaint([long]);
  assert.equal(narrow.written(), `${'x'.repeat(19)}…\n`);
  assert.equal(pipe.written(), `${long}\n`);
});

test('applied and rejected are about one commit', () => {
  const good = source({ conditions: ready('True'), lastAppliedRevision: 'main@sha1:abc' });
  const bad = source({ conditions: ready('False'), lastAttemptedRevision: 'main@sha1:abc' });
  const cases: [boolean, boolean][] = [
    [hasApplied(good, 'abc'), true],
    [hasApplied(good, 'def'), false],
    [hasApplied(bad, 'abc'), false],
    [hasApplied(undefined, 'abc'), false],
    [hasRejected(bad, 'abc'), true],
    [hasRejected(bad, 'def'), false],
    [hasRejected(good, 'abc'), false],
  ];
  for (const [index, [is, should]] of cases.entries()) assert.equal(is, should, `case ${index}`);
});

test('kinds are counted, the most frequent first, without those that are gone', () => {
  const kinds = [
    { group: '', kind: 'Service', count: 1 },
    { group: '', kind: 'ConfigMap', count: 0 },
    { group: 'apps', kind: 'Deployment', count: 3 },
  ];
  assert.equal(kindCounts(source({ inventory: { count: 4, kinds } })), '3 Deployment, 1 Service');
});

test('a complaint names file and line when it has them', () => {
  const failure = { kind: 'Service', namespace: 'shop', name: 'web', reason: 'Invalid', message: 'port is too large' };
  const failed = source({
    conditions: ready('False', 'one failed'),
    failures: [{ ...failure, file: 'a/b.yaml', line: 7 }],
  });
  assert.deepEqual(complaints(failed), ['a/b.yaml:7: Service shop/web: port is too large']);
  const broken = source({ conditions: ready('False', `main@sha1:${'0123456789'.repeat(4)}: a.yaml:3: tab`) });
  assert.deepEqual(complaints(broken), ['main@0123456: a.yaml:3: tab']);
  assert.equal(namesPlace(['a/b.yaml:7: no'], 'a/b.yaml'), true);
  assert.equal(namesPlace(['in a/b.yaml, line 7: no'], 'a/b.yaml'), true);
  assert.equal(namesPlace(['a/b.yaml is wrong'], 'a/b.yaml'), false);
  assert.equal(namesPlace(['c.yaml:7: no'], 'a/b.yaml'), false);
});

test('a drift report has a row for each field, also for one that is not declared or gone', () => {
  const [, first, second] = driftReport({
    kind: 'Secret',
    name: 'a',
    fields: [
      { path: '/data/k', manager: 'kubectl', operation: 'Update', time: '2026-01-01T08:09:10Z' },
      { path: '/spec/a', declared: '1', live: '2' },
    ],
  });
  assert.match(first ?? '', /\/data\/k +\(not declared\) +\(removed\) +kubectl \(Update\) +08:09:10/);
  assert.match(second ?? '', /\/spec\/a +1 +2 +unknown/);
});

test('the live table shows the newest event of each source', () => {
  const event = (namespace: string, time: string, reason: string) => ({
    involvedObject: { namespace, name: 'web' },
    reason,
    message: 'first line\nsecond line',
    lastTimestamp: time,
    metadata: {},
  });
  const [heading, row] = liveTable(
    [source({ conditions: ready('True'), lastAppliedRevision: `main@sha1:${'0123456789'.repeat(4)}` })],
    [
      event('shop', '2026-01-01T09:00:00Z', 'New'),
      event('shop', '2026-01-01T08:00:00Z', 'Old'),
      event('other', '2027-01-01T00:00:00Z', 'No'),
    ],
  );
  assert.match(heading ?? '', /^SOURCE +REVISION +READY +OBJECTS +DRIFT +LAST EVENT$/);
  assert.match(row ?? '', /^shop\/web +main@0123456 +True +0 +0 now, 0 healed +09:00:00 New: first line$/);
});

test('an edit of the sample that no longer fits is an error, not a silent nothing', () => {
  assert.equal(replaced('a: 1\n', '1', '2'), 'a: 2\n');
  for (const text of ['a: 3', 'a: 1 1', undefined]) assert.throws(() => replaced(text, '1', '2'), /needs it once/);
});
