// A restart in sync changes nothing about what is said of the edge.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { GitOpsSource } from '../src/api/source.ts';
import {
  applied,
  blocked,
  EDGE,
  edgeFixture,
  edgePolicy,
  host,
  mapping,
  prefixOf,
  reasonOf,
  statusWith,
} from './edge.ts';
import { applyObject } from './install.ts';
import { config } from './team.ts';
import { restarted } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

/** Longer than the edge takes to be looked at anew, and than a status may wait to be written. */
const SETTLED_MS = 4_000;

/** The status, but for the times at which something was said. */
function sayings({ status }: GitOpsSource): unknown {
  return { ...status, conditions: status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime: '' })) };
}

async function isBack(): Promise<void> {
  await until(() => world.operator.lines.some(({ msg }) => msg === 'watching sources'), {
    what: 'the operator is back',
  });
}

it('the same is said, also where something is wrong between two teams', async () => {
  const source = await shop.source('app', {
    'h.yaml': host('shop', 'shop.example'),
    'm.yaml': mapping('web', 'shop.example', '/'),
  });
  await applied(source);
  // Warnings and errors of two parties, let in on purpose.
  const other = await blog.source('app', { 'm.yaml': mapping('web', 'shop.example', '/') }, { edge: { mode: 'Off' } });
  await applied(other);
  await statusWith(source, 'an error', undefined, ({ edge }) => (edge?.errors ?? 0) > 0);
  await pause(SETTLED_MS);
  const path = `/apis/plumbline.dev/v1alpha1/namespaces/${shop.namespace}/gitopssources/app`;
  const read = async () => (await world.cluster.request<GitOpsSource>('GET', path)).body;
  const told = sayings(await read());

  await restarted(world);
  await isBack();
  await pause(SETTLED_MS);
  // On a slow machine it is told meanwhile that the repository is being read; what is said in the end is the same.
  let now = sayings(await read());
  await until(async () => isDeepStrictEqual((now = sayings(await read())), told)).catch(() => undefined);
  assert.deepEqual(now, told);
});

it('an edit of the source that was stopped before the restart is stopped after it, and one made meanwhile as well', async () => {
  const theirs = await blog.source('edited', {
    'host.yaml': host('edited', 'edited.example'),
    'cart.yaml': mapping('edited', 'edited.example', '/cart/'),
  });
  await applied(theirs);
  const files = {
    'own/cart.yaml': mapping('edited', 'edited.example', '/own/'),
    'taken/cart.yaml': mapping('edited', 'edited.example', '/cart/'),
  };
  const before = await shop.source('before', files, { path: 'own' });
  await applied(before);
  const lateFiles = {
    'own/late.yaml': mapping('late', 'edited.example', '/late/'),
    'taken/late.yaml': mapping('late', 'edited.example', '/cart/'),
  };
  const late = await shop.source('late', lateFiles, { path: 'own' });
  await applied(late);
  await before.patch({ spec: { path: 'taken' } });
  await blocked(before);

  await world.operator.stop('SIGKILL');
  await late.patch({ spec: { path: 'taken' } });
  await restarted(world);
  await isBack();
  await blocked(late);
  await before.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'look' } } });
  await until(async () => (await before.status()).lastHandledReconcileAt === 'look', { what: 'a run has ended' });
  await blocked(before);
  assert.deepEqual(await Promise.all([prefixOf(shop, 'edited'), prefixOf(shop, 'late')]), ['/own/', '/late/']);
});

it('what stood before a commit that is stopped goes on being enforced, also when the source was edited meanwhile', async () => {
  const theirs = await blog.source('stands', {
    'host.yaml': host('stands', 'stands.example'),
    'm.yaml': mapping('stands', 'stands.example', '/cart/'),
  });
  await applied(theirs);
  const own = mapping('stands', 'stands.example', '/own/');
  const source = await shop.source('stands', { 'm.yaml': own, 'c.yaml': config('stands') });
  await applied(source);
  const commit = await source.repository.write({ 'm.yaml': mapping('stands', 'stands.example', '/cart/') });
  await blocked(source, commit);

  await world.operator.stop('SIGKILL');
  await source.patch({ spec: { drift: { values: 'Hash' } } });
  await restarted(world);
  await isBack();
  const { cluster } = world;
  const path = `/api/v1/namespaces/${shop.namespace}/configmaps/stands`;
  await cluster.request('PATCH', path, { body: { data: { key: 'edited' } } });
  const edited = () => shop.get('configmaps/stands') as Promise<{ data?: { key?: string } } | undefined>;
  await until(async () => (await edited())?.data?.key === 'value', { what: 'the edit is healed' });
  const isClean = ({ type, status }: { type: string; status: string }) => type === 'Drifted' && status === 'False';
  const told = await statusWith(
    source,
    'Drifted=False',
    commit,
    ({ conditions }) => conditions?.some(isClean) ?? false,
  );
  assert.equal(reasonOf(told, 'EdgeHealthy'), 'EdgeBlocked');
  // Stopped as before, and it passes as soon as nobody is in its way.
  assert.equal(await prefixOf(shop, 'stands'), '/own/');
  await theirs.repository.write({ 'm.yaml': mapping('stands', 'stands.example', '/other/') });
  await applied(source, commit);
  assert.equal(await prefixOf(shop, 'stands'), '/cart/');
});

it('a route that a half applied commit gave up stays with whoever has it now, also when a newer commit cannot be read', async () => {
  const theirs = await blog.source('gave', {
    'host.yaml': host('gave', 'gave.example'),
    'm.yaml': mapping('gave', 'gave.example', '/blog/'),
  });
  const source = await shop.source('gave', { 'm.yaml': mapping('gave', 'gave.example', '/cart/') });
  await Promise.all([applied(theirs), applied(source)]);
  const half = await source.repository.write({
    'm.yaml': mapping('gave', 'gave.example', '/other/'),
    'forbidden.yaml': config('forbidden', { key: 'value' }, { namespace: 'default' }),
  });
  await statusWith(source, 'AccessDenied', half, (status) => reasonOf(status, 'Ready') === 'AccessDenied');
  await applied(theirs, await theirs.repository.write({ 'm.yaml': mapping('gave', 'gave.example', '/cart/') }));
  const newest = await source.repository.write({ 'x.yaml': 'a: [' });
  await statusWith(source, 'InvalidYaml', newest, (status) => reasonOf(status, 'Ready') === 'InvalidYaml');

  await world.operator.stop('SIGKILL');
  const path = `/apis/${EDGE}/namespaces/${shop.namespace}/mappings/gave`;
  await world.expect(200, 'PATCH', path, { body: { spec: { prefix: '/edited/' } } });
  await restarted(world);
  const healed = async () => ((await prefixOf(shop, 'gave')) === '/edited/' ? undefined : prefixOf(shop, 'gave'));
  assert.equal(await until(healed, { what: 'the edit is healed' }), '/other/');
});

it('a route that somebody took by hand meanwhile is put back unasked, also when the source was edited', async () => {
  const source = await shop.source('taken', {
    'h.yaml': host('taken', 'taken.example'),
    'm.yaml': mapping('taken', 'taken.example', '/cart/'),
  });
  await applied(source);
  await world.operator.stop('SIGKILL');
  await source.patch({ spec: { interval: '2s' } });
  const { cluster } = world;
  await cluster.request('DELETE', `/apis/${EDGE}/namespaces/${shop.namespace}/mappings/taken`);
  await applyObject(cluster, {
    apiVersion: EDGE,
    kind: 'Mapping',
    metadata: { name: 'taking', namespace: 'default' },
    spec: { hostname: 'taken.example', prefix: '/cart/', service: 'web:80' },
  });
  await restarted(world);
  await until(() => prefixOf(shop, 'taken'), { what: 'it is put back' });
  await applied(source);
});

it('a half applied commit that an EdgePolicy of the meantime stops gives way to the last one that was applied whole', async () => {
  const admission = 'admissionregistration.k8s.io/v1';
  const metadata = { name: 'no-held' };
  const resourceRules = [
    { apiGroups: ['getambassador.io'], apiVersions: ['*'], operations: ['CREATE'], resources: ['mappings'] },
  ];
  await applyObject(world.cluster, {
    apiVersion: admission,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: { matchConstraints: { resourceRules }, validations: [{ expression: 'object.metadata.name != "held"' }] },
  });
  await applyObject(world.cluster, {
    apiVersion: admission,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: 'no-held', validationActions: ['Deny'] },
  });
  const mappings = `/apis/${EDGE}/namespaces/${shop.namespace}/mappings`;
  const held = { apiVersion: EDGE, kind: 'Mapping', metadata: { name: 'held' }, spec: { prefix: '/', service: 'web' } };
  const isRefused = async () => (await world.cluster.request('POST', `${mappings}?dryRun=All`, { body: held })).status;
  await until(async () => (await isRefused()) === 422, { what: 'it is refused' });

  const source = await shop.source('half', { 'h.yaml': host('half', 'half.example'), 'c.yaml': config('half') });
  await applied(source);
  const data = async () => ((await shop.get('configmaps/half')) as { data?: { key?: string } } | undefined)?.data?.key;
  const half = await source.repository.write({
    'c.yaml': config('half', { key: 'half' }),
    'm.yaml': mapping('held', 'half.example', '/'),
  });
  await statusWith(source, 'is applied in part', half, ({ failures = [] }) => failures.length > 0);
  await until(async () => (await data()) === 'half', { what: 'the half is applied' });

  await world.operator.stop('SIGKILL');
  await edgePolicy(world, { grants: [{ namespaces: [blog.namespace], hosts: ['half.example'] }] });
  await restarted(world);
  await isBack();
  await blocked(source, half);
  const configMap = `/api/v1/namespaces/${shop.namespace}/configmaps/half`;
  await world.expect(200, 'PATCH', configMap, { body: { data: { key: 'edited' } } });
  await until(async () => (await data()) === 'value', { what: 'what was applied whole is enforced' });

  await world.expect(200, 'DELETE', `/apis/${admission}/validatingadmissionpolicybindings/no-held`);
  await world.expect(200, 'DELETE', '/apis/plumbline.dev/v1alpha1/edgepolicies/edge');
  await applied(source, half);
  assert.equal(await data(), 'half');
});
