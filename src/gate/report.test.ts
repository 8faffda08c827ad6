import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Finding, Severity } from '../edge/finding.ts';
import { edgeStatusOf, reportOf } from './report.ts';

const party = (name: string, source?: string) => ({
  kind: 'Mapping',
  namespace: 'shop',
  name,
  origin: source === undefined ? {} : { source, file: `${name}.yaml`, line: 1 },
});

function finding(severity: Severity, name: string, source: string): Finding {
  const key = `${severity} ${name}`;
  return { rule: 'EM010', severity, impact: 'steal', object: party(name, source), message: 'm', mend: 'm', key };
}

const judged = (findings: readonly Finding[]) => ({
  findings,
  frozen: false,
  size: { routes: 0, hosts: 0 },
  tallies: new Map([['shop/app', { routes: 2, hosts: 1, members: 3 }]]),
  setbacks: new Map([
    [
      'shop/app',
      { count: 30, first: [{ object: party('lost', 'shop/app'), state: 'Dropped' as const, message: 'why' }] },
    ],
  ]),
});

it('counts what is wrong for the source and what stops its newest commit, by severity', () => {
  const report = reportOf('shop/app', [
    judged([finding('error', 'a', 'shop/app'), finding('warning', 'b', 'shop/app'), finding('error', 'c', 'blog/app')]),
  ]);
  const blocking = [finding('error', 'd', 'shop/app'), finding('warning', 'e', 'shop/app')];
  const { errors, warnings, infos, findings } = edgeStatusOf(report, blocking)!;
  assert.deepEqual([errors, warnings, infos], [2, 2, 0]);
  assert.deepEqual(
    findings.map(({ name, blocks = false }) => [name, blocks]),
    [
      ['d', true],
      ['e', true],
      ['a', false],
      ['b', false],
    ],
  );
  assert.deepEqual([edgeStatusOf(null, blocking)?.errors, edgeStatusOf(null, blocking)?.warnings], [1, 1]);
});

it('names the objects that do not go as declared, and counts those of all gateways', () => {
  const { setbacks } = edgeStatusOf(reportOf('shop/app', [judged([]), judged([])]), [])!;
  const object = { kind: 'Mapping', namespace: 'shop', name: 'lost', file: 'lost.yaml', line: 1 };
  assert.deepEqual(setbacks, {
    count: 60,
    objects: [
      { ...object, state: 'Dropped', message: 'why' },
      { ...object, state: 'Dropped', message: 'why' },
    ],
  });
  assert.equal(edgeStatusOf(reportOf('blog/app', [judged([])]), [])?.setbacks, undefined);
});
