import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeIdentity, identityKey, type Identity } from '../kube/object.ts';
import { keepsOnDelete, prunePlan, type PruneCandidate, type PruneInput } from './prune-guard.ts';

const REVISION = 'main@sha1:1111111111111111111111111111111111111111';
const COMMIT = '1111111111111111111111111111111111111111';

function candidate(
  kind: string,
  name: string,
  more: Partial<PruneCandidate> & { group?: string } = {},
): PruneCandidate {
  const { group = '', ...rest } = more;
  const namespace = ['Namespace', 'CustomResourceDefinition'].includes(kind) ? '' : 'shop';
  const identity = { group, kind, namespace, name };
  return {
    key: identityKey(identity),
    identity,
    pruneDisabled: false,
    reconcileDisabled: false,
    deleting: false,
    ...rest,
  };
}

const configMaps = (count: number): PruneCandidate[] =>
  Array.from({ length: count }, (_, index) => candidate('ConfigMap', `c${index}`));
const keys = (objects: readonly PruneCandidate[]): Set<string> => new Set(objects.map(({ key }) => key));
const declared = candidate('ConfigMap', 'declared');

function plan(live: PruneCandidate[], more: Partial<PruneInput> = {}) {
  const {
    delete: stages,
    keep,
    blocked,
  } = prunePlan({
    declaredKeys: keys([declared]),
    live: [declared, ...live],
    enabled: true,
    revision: REVISION,
    renderComplete: true,
    listComplete: true,
    applied: true,
    ...more,
  });
  const name = (identity: Identity): string => describeIdentity(identity);
  return {
    deleted: stages.map((stage) => stage.map(({ identity }) => name(identity))),
    kept: keep.map(({ identity, why }) => `${name(identity)} ${why}`),
    blocked: blocked?.reason,
    message: blocked?.message,
  };
}

describe('what may be pruned', () => {
  it('is what is live and not declared, stage by stage backwards', () => {
    const live = [
      candidate('Secret', 'cert'),
      candidate('Host', 'h', { group: 'getambassador.io' }),
      candidate('Mapping', 'm', { group: 'getambassador.io' }),
    ];
    assert.deepEqual(plan(live).deleted, [
      ['Mapping.getambassador.io shop/m'],
      ['Host.getambassador.io shop/h'],
      ['Secret shop/cert'],
    ]);
  });

  it('is nothing when all is declared, or spec.prune is false', () => {
    assert.deepEqual(plan([]).deleted, []);
    assert.deepEqual(plan(configMaps(3), { enabled: false }), {
      deleted: [],
      kept: [],
      blocked: undefined,
      message: undefined,
    });
  });

  it('leaves alone what is going already', () => {
    assert.deepEqual(plan([candidate('ConfigMap', 'c', { deleting: true })]).deleted, []);
  });

  const UNSAFE: [string, Partial<PruneInput>][] = [
    ['an empty render', { declaredKeys: new Set() }],
    ['a render with gaps', { renderComplete: false }],
    ['an incomplete list', { listComplete: false }],
    ['a revision that is not applied whole', { applied: false }],
  ];
  for (const [what, input] of UNSAFE) {
    it(`is nothing after ${what}, approved or not`, () => {
      for (const approvedRevision of [undefined, REVISION]) {
        const { deleted, blocked } = plan(configMaps(3), { ...input, approvedRevision });
        assert.deepEqual([deleted, blocked], [[], 'PruneNotSafe']);
      }
    });
  }

  it('never is what says no, nor a namespace of the system, approved or not', () => {
    const live = [
      candidate('ConfigMap', 'c', { pruneDisabled: true }),
      candidate('Namespace', 'default'),
      candidate('Namespace', 'kube-system'),
    ];
    for (const approvedRevision of [undefined, REVISION]) {
      const { deleted, kept, blocked } = plan(live, { approvedRevision });
      assert.deepEqual(kept, [
        'ConfigMap shop/c PruneDisabled',
        'Namespace default SystemNamespace',
        'Namespace kube-system SystemNamespace',
      ]);
      assert.deepEqual([deleted, blocked], [[], undefined]);
    }
  });

  it('is a Namespace, CRD or volume claim only with approval; the rest goes meanwhile', () => {
    const live = [
      candidate('Namespace', 'team'),
      candidate('CustomResourceDefinition', 'x.example.com', { group: 'apiextensions.k8s.io' }),
      candidate('PersistentVolumeClaim', 'data'),
      candidate('ConfigMap', 'c'),
    ];
    const { deleted, kept, blocked, message } = plan(live);
    assert.deepEqual(deleted, [['ConfigMap shop/c']]);
    assert.equal(kept.length, 3);
    assert.equal(blocked, 'PruneBlocked');
    assert.match(message!, /Namespace team.*plumbline\.dev\/approve-prune=main@sha1:1/);
    assert.deepEqual(plan(live, { approvedRevision: COMMIT }).deleted.flat().length, 4);
  });

  const GUARDS: [what: string, count: number, total: number, more: Partial<PruneInput>, goes: boolean][] = [
    ['half of many', 10, 20, {}, true],
    ['more than half of many', 11, 20, {}, false],
    ['almost all of few', 9, 10, {}, true],
    ['almost all of eleven', 10, 11, {}, false],
    ['maxCount reached', 2, 100, { guard: { maxCount: 2 } }, true],
    ['maxCount exceeded', 3, 100, { guard: { maxCount: 2 } }, false],
    ['maxCount does not lift the percentage', 90, 100, { guard: { maxCount: 95 } }, false],
    ['maxPercent of few', 2, 4, { guard: { maxPercent: 40 } }, true],
    ['maxPercent 100', 99, 100, { guard: { maxPercent: 100 } }, true],
    ['maxCount 0', 1, 100, { guard: { maxCount: 0 } }, false],
    ['both, one exceeded', 60, 100, { guard: { maxCount: 70, maxPercent: 50 } }, false],
    ['approved by revision', 99, 100, { approvedRevision: REVISION }, true],
    ['approved by commit', 99, 100, { approvedRevision: COMMIT }, true],
    ['approved for another revision', 99, 100, { approvedRevision: REVISION.replaceAll('1', '2') }, false],
    ['approved by a prefix', 99, 100, { approvedRevision: COMMIT.slice(0, 12) }, false],
    ['an empty approval', 99, 100, { approvedRevision: '' }, false],
  ];
  for (const [what, count, total, more, goes] of GUARDS) {
    it(`guard: ${what} (${count} of ${total})`, () => {
      const objects = configMaps(total);
      const { deleted, kept, blocked } = plan(objects, {
        ...more,
        live: objects,
        declaredKeys: keys(objects.slice(count)),
      });
      assert.equal(deleted.flat().length, goes ? count : 0);
      assert.equal(kept.length, goes ? 0 : count);
      assert.equal(blocked, goes ? undefined : 'PruneBlocked');
    });
  }
});

describe('what stays when its source is deleted', () => {
  const CASES: [object: PruneCandidate, approved: boolean, stays: RegExp | undefined][] = [
    [candidate('ConfigMap', 'c'), false, undefined],
    [candidate('ConfigMap', 'c', { pruneDisabled: true }), true, /prune is disabled/],
    [candidate('ConfigMap', 'c', { reconcileDisabled: true }), true, /reconcile is disabled/],
    [candidate('Namespace', 'kube-public'), true, /never deleted/],
    [candidate('Namespace', 'team'), false, /needs approval/],
    [candidate('Namespace', 'team'), true, undefined],
    [candidate('PersistentVolumeClaim', 'data'), false, /needs approval/],
  ];
  for (const [object, approved, stays] of CASES) {
    it(`${describeIdentity(object.identity)}, approved: ${approved}`, () => {
      const why = keepsOnDelete(object, approved);
      if (stays) assert.match(why!, stays);
      else assert.equal(why, undefined);
    });
  }
});
