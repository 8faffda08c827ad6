import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindings, sourceOf, type Named } from './bindings.ts';

const deployment = (name: string, namespace = 'shop'): Named => ({
  group: 'apps',
  plural: 'deployments',
  namespace,
  name,
});
const config = (name: string): Named => ({ group: '', plural: 'configmaps', namespace: 'shop', name });
const wish = { namespace: 'team', name: 'app.v2', left: [], scaled: [] };
const said = (objects: ReturnType<typeof bindings>) =>
  objects.map(({ metadata, spec }) => ({
    name: metadata.name,
    ...(spec as { policyName: string; matchResources: object }),
  }));

test('one binding, to the labels of the source, with the source as its parameter', () => {
  const [only, ...others] = said(bindings(wish, ''));
  assert.deepEqual(others, []);
  assert.deepEqual(only, {
    name: 'plumbline-prevent.team.app.v2',
    policyName: 'plumbline-prevent',
    paramRef: { namespace: 'team', name: 'app.v2', parameterNotFoundAction: 'Allow' },
    validationActions: ['Deny'],
    matchResources: {
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: { matchLabels: { 'plumbline.dev/name': 'app.v2', 'plumbline.dev/namespace': 'team' } },
    },
  });
});

test('what is left is let go, by kind and name, in a steady order', () => {
  const left = [config('b'), deployment('web'), config('a'), config('b')];
  const [only] = said(bindings({ ...wish, left }, ''));
  const { excludeResourceRules } = only!.matchResources as { excludeResourceRules: object[] };
  const rule = { apiVersions: ['*'], operations: ['UPDATE', 'DELETE'], scope: '*' };
  assert.deepEqual(excludeResourceRules, [
    { ...rule, apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'] },
    { ...rule, apiGroups: [''], resources: ['configmaps'], resourceNames: ['a', 'b'] },
  ]);
});

test('replicas are bound by name, in each namespace by itself', () => {
  const scaled = [deployment('web'), deployment('api'), deployment('web', 'other')];
  const [, ...scales] = said(bindings({ ...wish, scaled }, 'team'));
  assert.deepEqual(
    scales.map(({ name, policyName }) => [name, policyName]),
    [
      ['plumbline-prevent-scale.team.app.v2.shop', 'plumbline-prevent-scale.team'],
      ['plumbline-prevent-scale.team.app.v2.other', 'plumbline-prevent-scale.team'],
    ],
  );
  assert.deepEqual(scales[0]!.matchResources, {
    matchPolicy: 'Equivalent',
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
    objectSelector: {},
    resourceRules: [
      {
        apiGroups: ['apps'],
        apiVersions: ['*'],
        operations: ['UPDATE'],
        resources: ['deployments/scale'],
        resourceNames: ['api', 'web'],
        scope: '*',
      },
    ],
  });
});

test('a binding says whose it is', () => {
  const [binding] = bindings(wish, '');
  assert.equal(sourceOf(binding!), 'team/app.v2');
  assert.equal(sourceOf({ ...binding!, spec: { policyName: 'x' } }), undefined);
});
