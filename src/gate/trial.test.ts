import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../edge/finding.ts';
import type { Candidate } from './candidate.ts';
import { DEFAULT_GATEWAY } from './gateways.ts';
import type { EdgeJudgements, Judged } from './judgements.ts';
import { EdgeTrials } from './trial.ts';
import { EdgeWorld } from './world.ts';

const { signal } = new AbortController();
const sees = (...findings: Finding[]): Judged => ({
  findings,
  frozen: false,
  size: { routes: 0, hosts: 0 },
  tallies: new Map(),
  setbacks: new Map(),
});
const object = { kind: 'Mapping', namespace: 'shop', name: 'm', origin: { source: 'shop/app' } };
const collision: Finding = {
  object,
  rule: 'EM010',
  key: 'c',
  severity: 'error',
  impact: 'steal',
  message: 'm',
  mend: 'm',
};
const candidate: Candidate = {
  source: 'shop/app',
  id: 'app',
  commit: 'c',
  edge: { mode: 'Enforce' },
  desired: [],
  barred: new Set(),
  grantable: () => [],
  pruned: () => [],
};

for (const found of [[collision], []]) {
  test(`a trial during which the edge changes again and again is one of the edge before that: ${found.length} findings`, async () => {
    const world = new EdgeWorld(() => true);
    const of = () => {
      world.version += 1;
      return Promise.resolve(sees(...found));
    };
    const judgements = { present: () => Promise.resolve(sees()), of, doubt: () => false } as unknown as EdgeJudgements;
    const trials = new EdgeTrials({ world, judgements, gateways: () => [DEFAULT_GATEWAY] });
    const { kind, version } = await trials.alone(candidate, signal);
    assert.equal(kind, found.length > 0 ? 'blocked' : 'passed');
    assert.equal(version, world.version - 1);
  });
}
