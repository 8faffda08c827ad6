import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { assess, type Kept } from './assess.ts';
import { formatPath } from './fields.ts';
import { foreignFields } from './foreign.ts';
import { pick } from './handover.ts';
import { withoutPaths } from './ignore.ts';
import { baselineOf, judge } from './judge.ts';
import { DEFAULT_POLICY, policyFor, type DriftPolicy } from './policy.ts';
import { removal } from './removal.ts';

/** Who pushes decides how long a list is. With a walk through the list for each of its items these took from half a minute to hours. */
const BOUND_MS = 10_000;
const MANAGER = 'plumbline';

function applied(declared: KubeObject, live: object, fields: FieldsV1): KubeObject {
  const entry = { manager: MANAGER, operation: 'Apply' as const, apiVersion: declared.apiVersion, fieldsV1: fields };
  const { metadata } = declared;
  return { ...declared, ...live, metadata: { ...metadata, resourceVersion: '1', managedFields: [entry] } };
}

function judgedInTime(declared: KubeObject, live: KubeObject): string {
  const [baseline, { kind }] = inTime(BOUND_MS, () => [
    baselineOf(declared, live, MANAGER)!,
    judge({ declared, live, manager: MANAGER }),
  ]);
  assert.deepEqual(baseline.neverOwned, []);
  return kind;
}

it('a set of 20,000 members', () => {
  const finalizers = Array.from({ length: 20_000 }, (_, at) => `example.com/f${at}`);
  const owned = Object.fromEntries(finalizers.map((name) => [`v:${JSON.stringify(name)}`, {}]));
  const declared = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', finalizers } };
  const fields = { 'f:metadata': { 'f:finalizers': owned } };
  const live = applied(declared, {}, fields);
  assert.equal(judgedInTime(declared, live), 'inSync');
  live.metadata.finalizers = finalizers.slice(1);
  assert.equal(judge({ declared, live, manager: MANAGER }).kind, 'valuesDiffer');
});

for (const said of [{ protocol: 'TCP' }, {}])
  it(`10,000 items that say ${Object.keys(said).length + 1} of their two keys`, () => {
    const numbers = Array.from({ length: 10_000 }, (_, at) => at + 1);
    const ports = numbers.map((containerPort) => ({ containerPort, ...said }));
    const node = { '.': {}, 'f:containerPort': {}, ...('protocol' in said && { 'f:protocol': {} }) };
    const owned = Object.fromEntries(numbers.map((at) => [`k:{"containerPort":${at},"protocol":"TCP"}`, node]));
    const declared = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, spec: { ports } };
    const served = ports.map((port) => ({ ...port, protocol: 'TCP' }));
    const live = applied(declared, { spec: { ports: served } }, { 'f:spec': { 'f:ports': owned } });
    assert.equal(judgedInTime(declared, live), 'inSync');
    const moved = { spec: { ports: [{ ...served[0]!, containerPort: 0 }, ...served.slice(1)] } };
    assert.notEqual(judge({ declared, live: { ...live, ...moved }, manager: MANAGER }).kind, 'inSync');
  });

interface Long {
  /** Some `spec`, and what its owner's entry says of it. */
  readonly of: (names: readonly string[]) => [spec: object, fields: FieldsV1];
  /** A rule that leaves each of its members to others. */
  readonly every: string;
}

const LONG: Readonly<Record<string, Long>> = {
  map: {
    of: (names) => [
      { map: Object.fromEntries(names.map((name) => [name, 'x'])) },
      { 'f:map': { '.': {}, ...Object.fromEntries(names.map((name) => [`f:${name}`, {}])) } },
    ],
    every: '/spec/map',
  },
  set: {
    of: (names) => [
      { set: names },
      { 'f:set': { '.': {}, ...Object.fromEntries(names.map((name) => [`v:"${name}"`, {}])) } },
    ],
    every: '/spec/set',
  },
  list: {
    of: (names) => [
      { list: names.map((name) => ({ name, image: 'x' })) },
      {
        'f:list': Object.fromEntries(
          names.map((name) => [`k:{"name":"${name}"}`, { '.': {}, 'f:name': {}, 'f:image': {} }]),
        ),
      },
    ],
    every: '/spec/list[*]',
  },
};

for (const [what, { of, every }] of Object.entries(LONG)) {
  const names = (prefix: string) => Array.from({ length: 4_000 }, (_, at) => `${prefix}${at}`);
  const [ours, theirs] = [names('a'), names('b')];
  const [spec, fields] = of([...ours, ...theirs]);
  const declared: KubeObject = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, spec };
  const kept = (object: KubeObject): Kept => ({
    apiVersion: 'v1',
    identity: { group: '', kind: 'X', namespace: '', name: 'a' },
    policy: { ssa: 'Override' },
    body: { text: JSON.stringify(object) } as Kept['body'],
  });
  const entry = (manager: string, operation: 'Apply' | 'Update', spec: FieldsV1) => {
    return { manager, operation, apiVersion: 'v1', fieldsV1: { 'f:spec': spec } };
  };
  const live = (spec: object, ...managedFields: object[]): KubeObject => {
    return { ...declared, metadata: { name: 'a', resourceVersion: '2', managedFields }, spec };
  };
  const look = (object: KubeObject, now: KubeObject, policy: DriftPolicy = DEFAULT_POLICY) =>
    inTime(BOUND_MS, () => assess(kept(object), now, { manager: MANAGER, policy }));

  it(`a ${what} of which half was taken from us, or is gone`, () => {
    const [left, owned] = of(ours);
    const taken = live(spec, entry(MANAGER, 'Apply', owned), entry('kubectl', 'Update', of(theirs)[1]));
    assert.equal(look(declared, taken).fields.length, theirs.length);
    const gone = look(declared, live(left, entry(MANAGER, 'Apply', owned))).fields;
    assert.deepEqual([gone.length, gone.filter((field) => field.live === undefined).length], [4_000, 4_000]);
  });

  it(`a ${what} with as much of others, which is to go`, () => {
    const mine: KubeObject = { ...declared, spec: of(ours)[0] };
    const now = live(spec, entry(MANAGER, 'Apply', of(ours)[1]), entry('kubectl', 'Update', of(theirs)[1]));
    const policy = { foreignFields: 'Remove' } as const;
    assert.equal(look(mine, now, policy).unwanted.length, theirs.length);
    const { tolerated } = policyFor(policy, kept(mine), mine);
    const input = { declared: mine, live: now, manager: MANAGER, tolerated };
    assert.equal(inTime(BOUND_MS, () => removal(input, foreignFields(input))).length, theirs.length);
    const bare: KubeObject = { ...declared, spec: {} };
    const alone = live(spec, entry(MANAGER, 'Apply', {}), entry('kubectl', 'Update', fields));
    const all = { ...input, declared: bare, live: alone };
    assert.ok(inTime(BOUND_MS, () => removal(all, foreignFields(all))).length > 0);
  });

  it(`a ${what} that is left to others, for good or while they hold it`, () => {
    const policy = { foreignFields: 'Report', ignore: [{ paths: [every], managers: ['kubectl'] }] } as const;
    const now = live(spec, entry(MANAGER, 'Apply', of(ours)[1]), entry('kubectl', 'Update', of(theirs)[1]));
    const { judgement } = look(declared, now, policy);
    const paths = judgement.kind === 'surrendered' ? judgement.paths : [];
    assert.equal(paths.length, theirs.length);
    const texts = paths.map((path) => formatPath(path));
    const rest = inTime(BOUND_MS, () => withoutPaths(declared, texts));
    assert.deepEqual(rest.spec, of(ours)[0]);
    assert.deepEqual(inTime(BOUND_MS, () => pick(declared, [every], { 'f:spec': fields }))?.spec, spec);
  });
}
