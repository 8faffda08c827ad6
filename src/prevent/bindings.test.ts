import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindings } from './bindings.ts';

interface Spec {
  policyName: string;
  paramRef: object;
  matchResources: { resourceRules: { scope: string }[] };
}

const platform = { operatorNamespace: 'plumbline-system', operatorUser: 'me', breakGlassGroups: [] };
const said = (watchNamespace: string) =>
  bindings({ ...platform, watchNamespace }).map(({ metadata, spec }) => {
    const { policyName, paramRef, matchResources } = spec as Spec;
    return [metadata.name, policyName, matchResources.resourceRules.map(({ scope }) => scope), paramRef];
  });

test('each policy is bound twice: to the guard of the namespace, and to that of the operator’s for what is in none', () => {
  const guard = { name: 'plumbline-prevent', parameterNotFoundAction: 'Allow' };
  const home = { ...guard, namespace: 'plumbline-system' };
  assert.deepEqual(said(''), [
    ['plumbline-prevent-scale-cluster', 'plumbline-prevent-scale', ['Cluster'], home],
    ['plumbline-prevent-scale', 'plumbline-prevent-scale', ['Namespaced'], guard],
    ['plumbline-prevent-cluster', 'plumbline-prevent', ['Cluster'], home],
    ['plumbline-prevent', 'plumbline-prevent', ['Namespaced'], guard],
  ]);
});

test('an operator that is limited to a namespace has its own', () => {
  const [, , third] = said('team');
  assert.deepEqual(third, [
    'plumbline-prevent-cluster.team',
    'plumbline-prevent.team',
    ['Cluster'],
    { name: 'plumbline-prevent.team', parameterNotFoundAction: 'Allow', namespace: 'team' },
  ]);
});
