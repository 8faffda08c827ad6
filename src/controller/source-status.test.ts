import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitOpsSource } from '../api/source.ts';
import { Source } from './source.ts';
import { statusOf } from './source-status.ts';

const [OLD, NEW] = ['main@sha1:old', 'main@sha1:new'];

function resource(generation: number, spec: object = {}): GitOpsSource {
  return {
    apiVersion: 'plumbline.dev/v1alpha1',
    kind: 'GitOpsSource',
    metadata: { name: 'app', namespace: 'team', uid: 'u', generation },
    spec: { url: 'https://git.example.com/app.git', ...spec },
  };
}

/** A source whose first spec is applied. */
function applied(): Source {
  const source = new Source(resource(1));
  source.result = { kind: 'applied' };
  source.status = { ...source.status, lastAppliedRevision: OLD };
  source.attempt = { revision: OLD };
  return source;
}

function readyOf(source: Source): string {
  const status = statusOf({ source, live: [], now: new Date(0), healthTimedOut: false });
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return `${ready?.status} ${status.observedGeneration} ${status.lastAttemptedRevision}`;
}

describe('Ready is about the generation and the revision beside which it stands', () => {
  it('of what is applied', () => assert.equal(readyOf(applied()), `True 1 ${OLD}`));

  it('while a new revision is being applied', () => {
    const source = applied();
    source.attempt = { revision: NEW };
    source.working = NEW;
    assert.equal(readyOf(source), `Unknown 1 ${NEW}`);
  });

  it('while a new spec has not been carried out', () => {
    const source = applied();
    source.update(resource(2, { path: 'other' }));
    assert.equal(readyOf(source), `Unknown 2 ${OLD}`);
  });

  it('when only metadata changed', () => {
    const source = applied();
    source.update(resource(1));
    assert.equal(readyOf(source), `True 1 ${OLD}`);
  });

  it('when the new spec suspends', () => {
    const source = applied();
    source.status = statusOf({ source, live: [], now: new Date(0), healthTimedOut: false });
    source.update(resource(2, { suspend: true }));
    assert.equal(readyOf(source), `True 2 ${OLD}`);
  });
});
