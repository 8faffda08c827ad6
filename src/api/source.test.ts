import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs } from './fields.ts';
import { parseSpec } from './source.ts';

const url = 'https://git.example.com/config';

function problems(raw: unknown, namespace?: string): Record<string, string> {
  const parsed = parseSpec(raw, namespace);
  return parsed.ok ? {} : Object.fromEntries(parsed.problems.map(({ path, message }) => [path, message]));
}

test('a spec of nothing but a URL gets every default', () => {
  assert.deepEqual(parseSpec({ url }), {
    ok: true,
    spec: {
      url,
      path: '',
      interval: '15s',
      timeout: '60s',
      insecure: false,
      suspend: false,
      sync: 'Auto',
      prune: true,
      drift: { mode: 'Heal', foreignFields: 'Leave', values: 'Show' },
      edge: { mode: 'Enforce' },
      adoption: 'Adopt',
      atomic: false,
      wait: false,
      force: false,
      deletionPolicy: 'Delete',
    },
  });
});

test('nothing that a source can hold makes parseSpec throw', () => {
  const deep = JSON.parse('[{"a":'.repeat(2000) + '1' + '}]'.repeat(2000)) as unknown;
  for (const raw of [undefined, null, 0, '', [], [null], { url: {} }, { url, ref: [[]] }, { url, drift: deep }]) {
    assert.notDeepEqual(problems(raw), {}, JSON.stringify(raw)?.slice(0, 60));
  }
});

test('every wrong field is named once, with what to do', () => {
  const found = problems({
    url: 'git@git.example.com:config',
    ref: { branch: 'main', tag: 'v1' },
    interval: '1d',
    drift: { ignore: [{ paths: ['/spec', 'replicas'] }] },
  });
  assert.deepEqual(found, {
    'spec.url': 'must begin with https://',
    'spec.ref': 'must have exactly one of branch, tag, semver, commit, name',
    'spec.interval': 'must be a duration from 1s to 24h, such as 15s, 5m or 1h30m',
    'spec.drift.ignore[0].paths[1]': 'must be a JSON pointer such as /spec/replicas',
  });
});

test('a message never repeats what was written, which may be a password', () => {
  const found = problems({ url: 'https://me:hunter2@git.example.com/a', drift: { mode: 'hunter2' }, prune: 'hunter2' });
  assert.deepEqual(Object.keys(found).sort(), ['spec.drift.mode', 'spec.prune', 'spec.url']);
  assert.doesNotMatch(JSON.stringify(found), /hunter2/);
});

test('a path is one place however it is written', () => {
  for (const [written, path] of [
    ['.', ''],
    ['./', ''],
    ['./clusters//a/', 'clusters/a'],
    ['clusters/./a', 'clusters/a'],
    ['a..b', 'a..b'],
  ]) {
    const parsed = parseSpec({ url, path: written });
    assert.equal(parsed.ok && parsed.spec.path, path, written);
  }
});

test('a dependency in another namespace is refused, in the own one it is fine', () => {
  const spec = { url, dependsOn: [{ name: 'a' }, { name: 'b', namespace: 'shop' }] };
  assert.deepEqual(problems(spec, 'shop'), {});
  assert.deepEqual(problems(spec, 'bank'), {
    'spec.dependsOn[1].namespace': 'must be bank: a source depends only on sources of its own namespace',
  });
});

test('a range of versions that says nothing is refused', () => {
  assert.deepEqual(problems({ url, ref: { semver: 'one-point-two' } }), {
    'spec.ref.semver': 'must be a range of versions such as ">=1.2.0 <2.0.0" or "1.x"',
  });
});

test('durations are read as Go reads them', () => {
  const table: [string, number][] = [
    ['15s', 15_000],
    ['1h30m', 5_400_000],
    ['1.5m', 90_000],
    ['250ms', 250],
    ['1m1s1ms', 61_001],
    ['0s', 0],
  ];
  for (const [text, expected] of table) assert.equal(durationMs(text), expected, text);
  for (const text of ['', '1', '1d', '-1s', '1s ', 'P1D', '1.s'])
    assert.throws(() => durationMs(text), RangeError, text);
});
