// The cases of a real server are in test/drift-edits.test.ts; here are the order of the questions and what a baseline remembers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldsV1, KubeObject, ManagedFieldsEntry, ObjectMeta } from '../kube/object.ts';
import { digestOwned } from './baseline.ts';
import { explain } from './explain.ts';
import { formatPath } from './fields.ts';
import { baselineOf, judge, type Baseline, type Judgement } from './judge.ts';

const OURS = 'plumbline';
const declared: KubeObject = {
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'x' },
  spec: { cpu: '1000m', a: 1, b: 2 },
};
const FIELDS: FieldsV1 = { 'f:spec': { 'f:cpu': {}, 'f:a': {}, 'f:b': {} } };

function entry(fieldsV1: FieldsV1, more: ManagedFieldsEntry = {}): ManagedFieldsEntry {
  return { manager: OURS, operation: 'Apply', apiVersion: 'v1', fieldsV1, ...more };
}

interface LiveInput {
  spec?: object;
  fields?: FieldsV1;
  others?: ManagedFieldsEntry[];
  metadata?: Partial<ObjectMeta>;
}

function live({ spec = {}, fields = FIELDS, others = [], metadata = {} }: LiveInput = {}): KubeObject {
  const managedFields = [...others, entry(fields)];
  return {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'x', resourceVersion: '2', managedFields, ...metadata },
    spec: { cpu: '1', a: 1, b: 2, ...spec },
  };
}

const baseline = baselineOf(declared, live({ metadata: { resourceVersion: '1' } }), OURS)!;
const judged = (object: KubeObject | undefined, known?: Baseline): Judgement =>
  judge({ declared, live: object, manager: OURS, baseline: known });
const kind = (object: KubeObject | undefined, known?: Baseline): string => judged(object, known).kind;

describe('the judgement of one event', () => {
  it('asks for the cheapest first', () => {
    assert.equal(kind(undefined, baseline), 'gone');
    assert.equal(kind(live({ metadata: { deletionTimestamp: 'now', resourceVersion: '1' } }), baseline), 'terminating');
    assert.equal(kind(live({ metadata: { managedFields: [], resourceVersion: '1' } }), baseline), 'inSync');
    assert.equal(kind(live({ metadata: { managedFields: [] } }), baseline), 'unowned');
    assert.equal(
      kind(live({ metadata: { managedFields: [entry(FIELDS, { apiVersion: 'v2' })] } }), baseline),
      'versionChanged',
    );
  });

  it('moves the baseline on to the newer resourceVersion', () => {
    const verdict = judged(live(), baseline);
    assert.deepEqual(verdict, { kind: 'inSync', baseline: { ...baseline, resourceVersion: '2' } });
  });

  it('does not ask a second time about values that the server writes its own way', () => {
    const changed = { fields: { 'f:spec': { ...FIELDS['f:spec'], '.': {} } } };
    assert.equal(kind(live(), undefined), 'valuesDiffer', 'without a baseline it has to ask');
    assert.notEqual(digestOwned(live(changed), changed.fields), baseline.digest);
    assert.equal(kind(live(changed), baseline), 'inSync', 'the same notation as at the baseline');
    assert.equal(kind(live({ spec: { cpu: '2' } }), baseline), 'valuesDiffer', 'another value');
    assert.equal(kind(live({ spec: { a: 9 } }), baseline), 'valuesDiffer', 'another field');
    assert.equal(
      kind(live({ spec: { cpu: '1000m' } }), baseline),
      'valuesDiffer',
      'a value that stopped being rewritten',
    );
  });

  it('never calls a field drift that could not be owned from the start', () => {
    const fields: FieldsV1 = { 'f:spec': { 'f:cpu': {}, 'f:a': {} } };
    const known = baselineOf(
      declared,
      live({ fields, spec: { b: undefined }, metadata: { resourceVersion: '1' } }),
      OURS,
    )!;
    assert.deepEqual(known.neverOwned, ['/spec/b']);
    const touched = live({ fields: { 'f:spec': { 'f:cpu': {}, 'f:a': {}, '.': {} } }, spec: { b: 7 } });
    assert.equal(kind(touched, known), 'inSync');
    const lost = judged(live({ fields: { 'f:spec': { 'f:cpu': {} } } }), known);
    assert.deepEqual(lost.kind === 'lost' && lost.paths.map(formatPath), ['/spec/a']);
    assert.equal(kind(live({ fields }), undefined), 'lost', 'without a baseline one apply has to tell');
  });

  it('takes loss before surplus before values', () => {
    const fields: FieldsV1 = { 'f:spec': { 'f:cpu': {}, 'f:old': {}, 'f:b': {} } };
    assert.equal(kind(live({ fields, spec: { b: 9 } })), 'lost');
    const whole: FieldsV1 = { 'f:spec': { ...FIELDS['f:spec'], 'f:old': {} } };
    assert.equal(kind(live({ fields: whole, spec: { b: 9 } })), 'surplus');
  });

  it('leaves to an autoscaler what it took through scale, and nothing else', () => {
    const fields: FieldsV1 = { 'f:spec': { 'f:cpu': {}, 'f:a': {} } };
    const scaler = (manager: string, subresource?: string): ManagedFieldsEntry => ({
      manager,
      operation: 'Update',
      fieldsV1: { 'f:spec': { 'f:b': {} } },
      ...(subresource && { subresource }),
    });
    const CASES: [ManagedFieldsEntry, string][] = [
      [scaler('kube-controller-manager', 'scale'), 'surrendered'],
      [scaler('keda-operator', 'scale'), 'surrendered'],
      [scaler('kube-controller-manager'), 'lost'],
      [scaler('kube-controller-manager', 'status'), 'lost'],
      [scaler('kubectl', 'scale'), 'lost'],
      [scaler('my-keda-operator', 'scale'), 'lost'],
    ];
    for (const [other, expected] of CASES) {
      assert.equal(kind(live({ fields, spec: { b: 5 }, others: [other] }), baseline), expected, JSON.stringify(other));
    }
  });
});

describe('who owns a lost field now', () => {
  const at = (
    time: string,
    fieldsV1: FieldsV1,
    manager: string,
    more: ManagedFieldsEntry = {},
  ): ManagedFieldsEntry => ({ manager, operation: 'Update', time, fieldsV1, ...more });
  const told = (others: ManagedFieldsEntry[], spec: object = { a: 5 }) => {
    const object = live({ fields: { 'f:spec': { 'f:cpu': {}, 'f:b': {} } }, others, spec });
    return explain([[{ field: 'spec' }, { field: 'a' }]], declared, object, OURS)[0];
  };

  it('is the latest of those who own it', () => {
    const one = at('2026-01-01T00:00:01Z', { 'f:spec': { 'f:a': {} } }, 'one');
    const two = at('2026-01-01T00:00:02Z', { 'f:spec': { 'f:a': {} } }, 'two');
    assert.equal(told([one, two])?.manager, 'two');
    assert.equal(told([two, one])?.manager, 'two');
    assert.equal(told([one, at('2026-01-01T00:00:09Z', { 'f:status': {} }, 'later')])?.manager, 'one');
  });

  it('stands with two equal values where all that is declared of the field is there again, with more beside it', () => {
    const object = live({
      spec: { map: { x: 1, more: 2 } },
      fields: {},
      others: [entry({ 'f:spec': { 'f:map': { 'f:x': {} } } }, { manager: 'you' })],
    });
    const mapped = { ...declared, spec: { map: { x: 1 } } };
    const path = [{ field: 'spec' }, { field: 'map' }];
    assert.deepEqual(explain([path], mapped, object, OURS), [
      { path: '/spec/map', declared: { x: 1 }, live: { x: 1 }, manager: 'you', operation: 'Apply' },
    ]);
  });

  it('is who owns it as part of an atomic node, before who owns something below', () => {
    assert.equal(
      told([
        at('2026-01-01T00:00:01Z', { 'f:spec': {} }, 'whole'),
        at('2026-01-01T00:00:02Z', { 'f:spec': { 'f:a': { 'f:x': {} } } }, 'below'),
      ])?.manager,
      'whole',
    );
  });

  it('is nobody when nobody does: no guess', () => {
    assert.deepEqual(told([at('2026-01-01T00:00:09Z', { 'f:spec': { 'f:z': {} } }, 'bystander')], { a: undefined }), {
      path: '/spec/a',
      declared: 1,
      live: undefined,
      operation: 'Removed',
    });
    assert.deepEqual(told([]), { path: '/spec/a', declared: 1, live: 5 });
  });

  it('is the one manager who wrote that part of the object in another version; of several, nobody', () => {
    const version = (
      manager: string,
      fieldsV1: FieldsV1,
      apiVersion = 'example.com/v1',
      more: ManagedFieldsEntry = {},
    ) => at('2026-01-01T00:00:01Z', fieldsV1, manager, { apiVersion, ...more });
    const renamed = { 'f:spec': { 'f:alpha': {} } };
    const note = version('annotator', { 'f:metadata': { 'f:annotations': { 'f:x': {} } } });
    assert.equal(told([version('one', renamed), note])?.manager, 'one');
    assert.equal(told([version('one', renamed), version('two', renamed)])?.manager, undefined);
    assert.equal(told([version('one', renamed), version('two', { 'f:spec': { 'f:a': {} } })])?.manager, 'two');
    assert.equal(
      told([version('one', renamed, declared.apiVersion)])?.manager,
      undefined,
      'the same version says it all',
    );
    assert.equal(told([version('one', renamed, undefined, { subresource: 'status' })])?.manager, undefined);
    assert.equal(
      told([version('one', renamed)], { a: undefined })?.operation,
      'Removed',
      'who removed a field is not recorded',
    );
  });

  it('may be our own name with Update', () => {
    assert.equal(told([at('2026-01-01T00:00:01Z', { 'f:spec': { 'f:a': {} } }, OURS)])?.operation, 'Update');
  });
});

describe('the digest', () => {
  const fields: FieldsV1 = {
    ...FIELDS,
    'f:list': { 'k:{"name":"a"}': { '.': {}, 'f:v': {} } },
    'f:set': { 'v:"x"': {} },
  };
  const object = (more: object = {}): KubeObject => ({
    ...live(),
    list: [
      { name: 'a', v: 1 },
      { name: 'b', v: 2 },
    ],
    set: ['x', 'y'],
    ...more,
  });
  const digest = (value: KubeObject, trie = fields): string => digestOwned(value, trie);
  const same = digest(object());

  const UNCHANGED: [string, object][] = [
    ['status', { status: { x: 1 } }],
    ['a foreign field', { foreign: 1, spec: { cpu: '1', a: 1, b: 2, mine: 3 } }],
    [
      'a foreign item, and order',
      {
        list: [
          { name: 'b', v: 3 },
          { name: 'a', v: 1, mine: 1 },
        ],
      },
    ],
    ['a foreign member of a set', { set: ['z', 'x'] }],
    ['metadata', { metadata: { name: 'x', labels: { a: 'b' } } }],
  ];
  for (const [what, more] of UNCHANGED) it(`does not see ${what}`, () => assert.equal(digest(object(more)), same));

  const CHANGED: [string, object][] = [
    ['a value', { spec: { cpu: '1', a: 2, b: 2 } }],
    ['a value that is gone', { spec: { cpu: '1', b: 2 } }],
    ['null instead of nothing', { spec: { cpu: '1', a: null, b: 2 } }],
    ['a value of an item', { list: [{ name: 'a', v: 2 }] }],
    ['an item that is gone', { list: [{ name: 'b', v: 1 }] }],
    ['a member that is gone', { set: ['y'] }],
  ];
  for (const [what, more] of CHANGED) it(`sees ${what}`, () => assert.notEqual(digest(object(more)), same));

  it('sees what is owned', () => assert.notEqual(digest(object(), { ...fields, 'f:kind': {} }), same));
});
