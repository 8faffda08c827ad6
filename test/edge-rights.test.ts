// The operator may not list what is on the edge: a commit that has policies waits with the right that is missing, and all else goes on.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import { applied, blocked, edgeFixture, host, mapping, policyInForce, policyOf, statusWith, reasonOf } from './edge.ts';
import { rightsInForce, type Rule } from './rights.ts';
import { config } from './team.ts';
import { restarted } from './tenancy.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
const ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/plumbline-operator';
const PLATFORM = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/plumbline-platform';
const USER = serviceAccountUser({ name: 'plumbline-operator', namespace: 'plumbline-system' });

interface Role {
  rules: Rule[];
}

it('what cannot be seen is not taken for an empty edge', async () => {
  const first = await shop.source('app', { 'h.yaml': host('shop', 'shop.example') });
  await applied(first);
  await policyInForce(world, { grants: [{ namespaces: [shop.namespace], hosts: ['shop.example'] }] });
  const plain = await blog.source('plain', { 'c.yaml': config('plain') });
  await applied(plain);

  // Not even as cluster-admin, which the operator is for its own namespace.
  await world.expect(200, 'DELETE', PLATFORM);
  const { rules } = (await world.expect(200, 'GET', ROLE)) as unknown as Role;
  const groups = ['', 'apps', 'apiextensions.k8s.io', 'admissionregistration.k8s.io', 'networking.k8s.io'];
  const narrowed = rules.map((rule) => (rule.apiGroups[0] === '*' ? { ...rule, apiGroups: groups } : rule));
  const withoutPolicies = narrowed.map((rule) =>
    rule.resources.includes('edgepolicies') ? { ...rule, verbs: ['get'] } : rule,
  );
  await world.expect(200, 'PATCH', ROLE, { body: { rules: withoutPolicies } });
  const listing = { apiGroups: ['getambassador.io'], resources: ['mappings'], verbs: ['list'] };
  await rightsInForce(world.cluster, { user: USER, namespace: '' }, [], [listing]);
  await restarted(world);

  const thief = await blog.source('thief', { 'm.yaml': mapping('theft', 'shop.example', '/') });
  const status = await statusWith(thief, 'EdgeJudgementFailed', undefined, (now) => {
    return reasonOf(now, 'Ready') === 'EdgeJudgementFailed';
  });
  const { message } = status.conditions!.find(({ type }) => type === 'Ready')!;
  assert.match(message, /cannot list resource "\w+" in API group "(getambassador\.io|plumbline\.dev)"/);
  assert.equal(await policyOf(blog, 'Mapping', 'theft'), undefined);
  await applied(plain, await plain.repository.write({ 'c.yaml': config('plain', { key: 'new' }) }));

  await world.expect(200, 'PATCH', ROLE, { body: { rules } });
  await blocked(thief);
  assert.equal(await policyOf(blog, 'Mapping', 'theft'), undefined);
});
