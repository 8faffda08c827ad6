import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerProof } from '../api/names.ts';
import { identityKey, identityOf, type KubeObject } from '../kube/object.ts';
import { Body } from '../render/body.ts';
import { bodyWithout } from '../sync/body.ts';
import type { Desired } from '../sync/desired.ts';
import { EdgeWorld, mattersToEdge } from './world.ts';

function mapping(name: string, spec: object = {}): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind: 'Mapping', metadata: { name, namespace: 'shop' }, spec };
}

function declared(object: KubeObject): Desired {
  const identity = identityOf(object);
  const policy = { prune: true, reconcile: true, ssa: 'Override' as const, force: false, adopt: false };
  const body = JSON.stringify(object);
  const [key, { apiVersion }] = [identityKey(identity), object];
  return { identity, key, apiVersion, file: 'edge.yaml', line: 7, body: new Body(body), digest: body, policy };
}

/** With what its annotations say of how it is written, and the fields that are given up. */
function declaredAs(object: KubeObject, policy: Partial<Desired['policy']>, ...paths: string[]): Desired {
  const whole = declared(object);
  const givenUp = paths.length > 0 && { givenUp: { paths, createBody: whole.body } };
  return {
    ...whole,
    body: new Body(bodyWithout(whole.body.text, paths)),
    policy: { ...whole.policy, ...policy },
    ...givenUp,
  };
}

type View = [candidates?: ReadonlyMap<string, readonly Desired[]>, pruned?: ReadonlySet<string>];

interface Counting {
  body: string;
  source: string | undefined;
  file: string | undefined;
}

function everything(world: EdgeWorld, ...view: View): Map<string, Counting> {
  const found = new Map<string, Counting>();
  const add = (key: string, { text }: Body, source?: string, file?: string) => {
    if (!found.has(key)) found.set(key, { body: text, source, file });
  };
  world.show(add, ...view);
  return found;
}

/** The prefix and the hostname that count, by name. */
function claims(world: EdgeWorld, ...view: View): string[] {
  return [...everything(world, ...view).values()].map(({ body }) => {
    const { metadata, spec } = JSON.parse(body) as KubeObject & { spec: { prefix?: string; hostname?: string } };
    return `${metadata.name} ${spec.hostname ?? '-'} ${spec.prefix ?? '-'}`;
  });
}

function owned(object: KubeObject, name: string): KubeObject {
  const proof = ownerProof({ namespace: 'shop', name }, identityKey(identityOf(object)));
  return { ...object, metadata: { ...object.metadata, annotations: { 'plumbline.dev/owner': proof } } };
}

const keyOf = (object: KubeObject) => identityKey(identityOf(object));
const admission = (id: string, ...objects: KubeObject[]) => ({ id, desired: objects.map(declared), first: [] });

/** `name source file` of everything that counts. */
function shown(world: EdgeWorld, ...view: View): string[] {
  const lines = [...everything(world, ...view)].map(([key, { source = '-', file = '-' }]) => {
    return `${key.split('/').at(-1)} ${source} ${file}`;
  });
  return lines.sort();
}

const [a, b, c] = ['a', 'b', 'c'].map((name) => mapping(name)) as [KubeObject, KubeObject, KubeObject];

test('a live object counts as it is until a revision that declares it is let in', () => {
  const world = new EdgeWorld(() => true);
  world.seen(owned(a, 'app'));
  world.seen(b);
  assert.deepEqual(shown(world), ['a shop/app -', 'b - -']);
  world.admit('shop/app', admission('1', a));
  assert.deepEqual(shown(world), ['a shop/app edge.yaml', 'b - -']);
  // What is declared comes back whatever anybody does to it.
  world.seen(mapping('a', { prefix: '/other/' }));
  world.gone(keyOf(a));
  assert.deepEqual(shown(world), ['a shop/app edge.yaml', 'b - -']);
});

test('what is no longer declared counts until it is seen to go', () => {
  const world = new EdgeWorld(() => true);
  world.admit('shop/app', admission('1', a, b));
  world.admit('shop/app', admission('2', b));
  assert.deepEqual(shown(world), ['a shop/app -', 'b shop/app edge.yaml']);
  assert.deepEqual(world.leftOf('shop/app', new Set([keyOf(b)])), [identityOf(a)]);
  world.gone(keyOf(a));
  assert.deepEqual(shown(world), ['b shop/app edge.yaml']);
  world.release('shop/app');
  assert.deepEqual(shown(world), ['b shop/app -']);
});

test('what never came into the cluster is gone with its declaration', () => {
  const world = new EdgeWorld(() => false);
  world.admit('shop/app', admission('1', a, b));
  world.admit('shop/app', admission('2', b));
  assert.deepEqual(shown(world), ['b shop/app edge.yaml']);
});

test('a candidate is seen beside everybody else, without changing anything', () => {
  const world = new EdgeWorld(() => true);
  world.admit('shop/app', admission('1', a, b));
  world.admit('blog/app', admission('1', c));
  const before = world.version;
  const candidates = new Map([['shop/app', [declared(b)]]]);
  const all = ['a shop/app -', 'b shop/app edge.yaml', 'c blog/app edge.yaml'];
  assert.deepEqual(shown(world, candidates), all);
  assert.deepEqual(shown(world, candidates, new Set([keyOf(a)])), all.slice(1));
  assert.equal(world.version, before);
});

test('a list says what is gone, of its own kind only', () => {
  const world = new EdgeWorld(() => true);
  world.seen(a);
  world.seen(b);
  world.seen({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'shop' } });
  world.listed({ apiVersion: 'getambassador.io/v2', kind: 'Mapping' }, new Set([keyOf(b)]));
  assert.deepEqual(shown(world), ['b - -', 's - -']);
});

// Hosts select the Mappings that Emissary makes of an Ingress, and Listeners its Hosts, by the labels of the Ingress.
test('of a live Ingress the labels count, also where its class is no annotation', () => {
  const world = new EdgeWorld(() => true);
  const ingress = (labels: Record<string, string>): KubeObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop', labels },
    spec: { ingressClassName: 'emissary' },
  });
  for (const team of ['a', 'b']) {
    world.seen(ingress({ team }));
    const [shownOne] = [...everything(world).values()];
    assert.deepEqual((JSON.parse(shownOne!.body) as KubeObject).metadata.labels, { team });
  }
});

test('the version moves only with what counts', () => {
  const world = new EdgeWorld(() => true);
  const moves = (act: () => void) => {
    const before = world.version;
    act();
    return world.version !== before;
  };
  assert.equal(
    moves(() => world.seen(a)),
    true,
  );
  const touched = { ...a, status: { state: 'Running' }, metadata: { ...a.metadata, resourceVersion: '5' } };
  assert.equal(
    moves(() => world.seen(touched)),
    false,
  );
  assert.equal(
    moves(() => world.seen(mapping('a', { prefix: '/x/' }))),
    true,
  );
  assert.equal(
    moves(() => world.admit('shop/app', admission('1', b))),
    true,
  );
  assert.equal(
    moves(() => world.admit('shop/app', admission('1', b))),
    false,
  );
  assert.equal(
    moves(() => world.admit('shop/other', admission('1'))),
    false,
  );
  assert.equal(
    moves(() => world.gone(keyOf(c))),
    false,
  );
});

test('what matters to the edge', () => {
  const object = (apiVersion: string, kind: string, annotations = {}) =>
    declared({ apiVersion, kind, metadata: { name: 'x', namespace: 'shop', annotations } });
  for (const matter of [a, { ...a, kind: 'Filter' }]) assert.ok(mattersToEdge(declared(matter)));
  for (const kind of ['Service', 'Secret']) assert.ok(mattersToEdge(object('v1', kind)));
  assert.ok(!mattersToEdge(object('v1', 'ConfigMap')));
  assert.ok(mattersToEdge(object('apps/v1', 'Deployment', { 'getambassador.io/config': '---' })));
});

for (const policy of [{ ssa: 'Ignore' }, { ssa: 'IfNotPresent' }, { reconcile: false }] as const) {
  test(`what is not written counts as it is live: ${JSON.stringify(policy)}`, () => {
    const [old, other] = [mapping('a', { prefix: '/old/' }), mapping('a', { prefix: '/other/' })];
    const world = new EdgeWorld(() => true);
    world.admit('shop/app', admission('1', old));
    const desired = [declaredAs(other, policy)];
    // Declaring another path gives up nothing that is live.
    assert.deepEqual(claims(world, new Map([['shop/app', desired]])), ['a - /old/']);
    world.admit('shop/app', { id: '2', desired, first: [] });
    assert.deepEqual(claims(world), ['a - /old/']);
    const { version } = world;
    world.seen(owned(mapping('a', { prefix: '/edited/' }), 'app'));
    assert.ok(world.version > version);
    assert.deepEqual(claims(world), ['a - /edited/']);
    world.gone(keyOf(a));
    world.admit('shop/app', admission('3', other));
    assert.deepEqual(claims(world), ['a - /other/']);
  });
}

test('of fields that are given up those that are live count, and what an object is created with', () => {
  let isLive = false;
  const world = new EdgeWorld(() => isLive);
  const made = declaredAs(mapping('a', { hostname: 'a.com', prefix: '/a/' }), {}, '/spec/hostname');
  assert.deepEqual(claims(world, new Map([['shop/app', [made]]])), ['a a.com /a/']);
  world.admit('shop/app', { id: '1', desired: [made], first: [] });
  isLive = true;
  world.seen(owned(mapping('a', { hostname: 'b.com', prefix: '/a/' }), 'app'));
  const next = declaredAs(mapping('a', { hostname: 'c.com', prefix: '/c/' }), {}, '/spec/hostname');
  assert.deepEqual(claims(world, new Map([['shop/app', [next]]])), ['a b.com /c/']);
});

test('what is nested too deeply to be written counts by its surface', () => {
  const world = new EdgeWorld(() => true);
  const deep: unknown = JSON.parse('['.repeat(9_000) + ']'.repeat(9_000));
  world.seen(mapping('a', { prefix: '/a/', labels: { deep } }));
  assert.deepEqual(claims(world), ['a - /a/']);
});

const LOCKED = { 'plumbline.dev/reconcile': 'disabled' };

test('a live object that says so stays as it is, whatever is declared', () => {
  const world = new EdgeWorld(() => true);
  const locked = owned(mapping('a', { prefix: '/live/' }), 'app');
  locked.metadata.annotations = { ...locked.metadata.annotations, ...LOCKED };
  world.admit('shop/app', admission('1', mapping('a', { prefix: '/git/' })));
  world.seen(locked);
  assert.deepEqual(claims(world), ['a - /live/']);
  const next = [declared(mapping('a', { prefix: '/next/' }))];
  assert.deepEqual(claims(world, new Map([['shop/app', next]])), ['a - /live/']);
  world.admit('shop/app', { id: '2', desired: next, first: [] });
  assert.deepEqual(claims(world), ['a - /live/']);
  world.seen(owned(mapping('a', { prefix: '/live/' }), 'app'));
  assert.deepEqual(claims(world), ['a - /next/']);
});

test('one that is nobody’s yet is taken over all the same', () => {
  const world = new EdgeWorld(() => true);
  const made = mapping('a', { prefix: '/live/' });
  world.seen({ ...made, metadata: { ...made.metadata, annotations: LOCKED } });
  world.admit('shop/app', admission('1', mapping('a', { prefix: '/git/' })));
  assert.deepEqual(claims(world), ['a - /git/']);
});

test('of a source that only reports drift counts what is live, until it is declared anew', () => {
  let heals = false;
  const world = new EdgeWorld(
    () => true,
    () => heals,
  );
  const git = [declared(mapping('a', { prefix: '/git/' }))];
  world.admit('shop/app', { id: '1', desired: git, first: [] });
  assert.deepEqual(claims(world), ['a - /git/']);
  const { version } = world;
  world.seen(owned(mapping('a', { prefix: '/edited/' }), 'app'));
  assert.ok(world.version > version);
  assert.deepEqual(claims(world), ['a - /edited/']);
  assert.deepEqual(claims(world, new Map([['shop/app', git]])), ['a - /edited/']);
  const next = [{ ...declared(mapping('a', { prefix: '/next/' })), digest: 'next' }];
  assert.deepEqual(claims(world, new Map([['shop/app', next]])), ['a - /next/']);
  heals = true;
  assert.deepEqual(claims(world), ['a - /git/']);
  heals = false;
  world.admit('shop/app', { id: '2', desired: next, first: [] });
  assert.deepEqual(claims(world), ['a - /next/']);
});

test('what was seen to go does not stay because the watch of managed objects has not heard of it yet', () => {
  const world = new EdgeWorld(() => true);
  const [web, api] = [mapping('web'), mapping('api')];
  const admit = (id: string, ...objects: KubeObject[]) =>
    world.admit('shop/app', { id, desired: objects.map(declared), first: [] });
  admit('1', web, api);
  world.gone(identityKey(identityOf(web)));
  assert.deepEqual(claims(world, new Map([['shop/app', []]])), ['api - -']);
  admit('2');
  assert.deepEqual(claims(world), ['api - -']);

  admit('3', web);
  world.listed({ apiVersion: web.apiVersion, kind: web.kind }, new Set());
  admit('4');
  assert.deepEqual(claims(world), []);

  admit('5', web);
  world.gone(identityKey(identityOf(web)));
  world.seen(owned(web, 'app'));
  admit('6');
  assert.deepEqual(claims(world), ['web - -']);
});
