// The API server does not list the EdgePolicies after a start: what they say is not known, and no commit passes as if there were none.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import { applied, blocked, edgeFixture, edgePolicy, host, mapping, policyOf, reasonOf, statusWith } from './edge.ts';
import { rightsInForce, type Rule } from './rights.ts';
import { config } from './team.ts';
import { restarted } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
const ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/plumbline-operator';
const PLATFORM = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/plumbline-platform';
const USER = serviceAccountUser({ name: 'plumbline-operator', namespace: 'plumbline-system' });

interface Role {
  metadata: { resourceVersion?: string };
  rules: Rule[];
}

it('a commit waits for them, what stands is enforced, and who has nothing there does not wait', async () => {
  await edgePolicy(world, { grants: [{ namespaces: [shop.namespace], hosts: ['shop.example'] }] });
  const own = { 'h.yaml': host('own', 'own.example'), 'm.yaml': mapping('own', 'own.example', '/') };
  const source = await blog.source('app', { ...own, 'c.yaml': config('app') });
  await applied(source);

  await world.operator.stop('SIGKILL');
  const { body } = await world.cluster.request('GET', ROLE);
  const role = body as unknown as Role;
  const groups = ['', 'apps', 'getambassador.io', 'networking.k8s.io'];
  const fewer = role.rules.flatMap((rule) => {
    if (rule.resources.includes('edgepolicies')) return [];
    return rule.resources.includes('*') ? { ...rule, apiGroups: groups } : rule;
  });
  await world.expect(200, 'PUT', ROLE, { body: { ...role, rules: fewer } });
  // By which the operator may do more than it needs for teams.
  await world.expect(200, 'DELETE', PLATFORM);
  const listing = { apiGroups: ['plumbline.dev'], resources: ['edgepolicies'], verbs: ['list'] };
  await rightsInForce(world.cluster, { user: USER, namespace: '' }, [], [listing]);
  const theft = await source.repository.write({
    'host.yaml': host('theft', 'shop.example'),
    'theft.yaml': mapping('theft', 'shop.example', '/'),
  });
  await restarted(world);
  await statusWith(source, 'waits for the EdgePolicies', theft, (status) => {
    return reasonOf(status, 'Ready') === 'EdgeJudgementFailed';
  });
  assert.equal(await policyOf(blog, 'Mapping', 'theft'), undefined);
  const place = `/api/v1/namespaces/${blog.namespace}/configmaps/app`;
  await world.expect(200, 'PATCH', place, { body: { data: { key: 'edited' } } });
  const data = async () => ((await blog.get('configmaps/app')) as { data?: { key?: string } } | undefined)?.data?.key;
  await until(async () => (await data()) === 'value', { what: 'the edit is healed' });
  await applied(await blog.source('other', { 'c.yaml': config('other') }));

  const { resourceVersion: _, ...metadata } = role.metadata;
  await world.expect(200, 'PUT', ROLE, { body: { ...role, metadata } });
  await blocked(source, theft);
});
