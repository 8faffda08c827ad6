// An EdgePolicy says in its status whether it holds, what it does, and what holds while it is malformed.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EdgePolicy } from '../src/api/edge-policy.ts';
import type { EdgePolicyStatus } from '../src/api/edge-policy-status.ts';
import { applied, blocked, edgePolicy, edgeFixture, host, mapping, policyOf } from './edge.ts';
import { config } from './team.ts';
import { restarted } from './tenancy.ts';
import { until } from './until.ts';

const POLICIES = '/apis/plumbline.dev/v1alpha1/edgepolicies';
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/edgepolicies.plumbline.dev';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

async function read(name: string): Promise<EdgePolicy> {
  return (await world.cluster.request<EdgePolicy>('GET', `${POLICIES}/${name}`)).body;
}

/** Waits until the status of the policy is like this. */
async function policyWith(
  name: string,
  what: string,
  fits: (status: EdgePolicyStatus) => boolean,
): Promise<EdgePolicy> {
  let last: EdgePolicy | undefined;
  const wait = until(
    async () => {
      last = await read(name);
      return last.status && last.status.observedGeneration === last.metadata.generation && fits(last.status) && last;
    },
    { what, timeoutMs: 120_000 },
  );
  return wait.catch((cause: unknown) => {
    throw new Error(`${(cause as Error).message}: ${JSON.stringify(last?.status)}`, { cause });
  });
}

const conditionOf = (status: EdgePolicyStatus | undefined, wanted: string) =>
  status?.conditions?.find(({ type }) => type === wanted);
const isReady = (reason: string) => (status: EdgePolicyStatus) => conditionOf(status, 'Ready')?.reason === reason;

it('tells what it does, who is stopped, and which overrides are in use; and is not written when nothing changes', async () => {
  const own = await shop.source('app', { 'h.yaml': host('shop', 'shop.example'), 'm.yaml': mapping('m', '*', '/') });
  await applied(own);
  const fresh = policyWith('edge', 'it holds', (status) => isReady('InForce')(status) && status.sources === 1);
  await edgePolicy(world, {});
  const { status, metadata } = await fresh;
  assert.deepEqual([status?.routes, status?.hosts, status?.blocked], [1, 1, 0]);

  const commit = await own.repository.write({ 'c.yaml': config('unrelated') });
  await applied(own, commit);
  assert.equal((await read('edge')).metadata.resourceVersion, metadata.resourceVersion);

  const thief = await blog.source('app', { 'm.yaml': mapping('theft', '*', '/') });
  const { lastAttemptedRevision } = await blocked(thief);
  await policyWith('edge', 'one is stopped', (now) => now.blocked === 1);
  const table = await world.cluster.request<{
    columnDefinitions: { name: string; priority: number }[];
    rows: { cells: unknown[] }[];
  }>('GET', `${POLICIES}/edge`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
  const shown = table.body.columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name);
  assert.deepEqual(shown, ['Name', 'AmbassadorID', 'Mode', 'Sources', 'Blocked', 'Ready', 'Age']);
  assert.deepEqual(table.body.rows[0]?.cells.slice(0, 6), ['edge', 'default', 'Enforce', 1, 1, 'True']);

  const override = {
    source: `${blog.namespace}/app`,
    commit: lastAttemptedRevision!.slice(-40),
    reason: 'incident 42',
  };
  await edgePolicy(world, { overrides: [override] });
  await applied(thief);
  const overridden = await policyWith(
    'edge',
    'an override is in use',
    (now) => conditionOf(now, 'Overridden') !== undefined,
  );
  assert.match(conditionOf(overridden.status, 'Overridden')!.message, /incident 42/);
  assert.equal(overridden.status?.blocked, 0);
  await thief.repository.write({ 'm.yaml': null, 'c.yaml': config('harmless') });
  await policyWith('edge', 'the override is used no more', (now) => conditionOf(now, 'Overridden') === undefined);
});

it('a second one for the same gateway does not count, and says so until the first is gone', async () => {
  await edgePolicy(world, { mode: 'Off' }, 'second');
  const { status } = await policyWith('second', 'it is not accepted', isReady('AmbassadorIdTaken'));
  assert.match(conditionOf(status, 'Ready')!.message, /EdgePolicy edge, .*gateway default/);
  await world.expect(200, 'DELETE', `${POLICIES}/edge`);
  await policyWith('second', 'it counts', isReady('InForce'));
  await world.expect(200, 'DELETE', `${POLICIES}/second`);
});

it('a malformed one names the field and loosens nothing, after a restart either', async () => {
  const grants = [{ name: 'the shop', namespaces: [shop.namespace], hosts: ['granted.example'] }];
  await edgePolicy(world, { grants });
  await policyWith('edge', 'it holds', isReady('InForce'));
  // As with a CRD of another version: the server checks nothing any more.
  const { body: crd } = await world.cluster.request('GET', CRD);
  const relaxed = structuredClone(crd) as unknown as { spec: { versions: { schema: unknown }[] } };
  for (const version of relaxed.spec.versions)
    version.schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await world.expect(200, 'PUT', CRD, { body: { ...relaxed, metadata: { ...crd.metadata, managedFields: [] } } });
  const spec = { ambassadorId: 'default', mode: 'Offf', grants: [...grants, { hosts: ['lost.example'] }] };
  await until(
    async () => (await world.cluster.request('PATCH', `${POLICIES}/edge`, { body: { spec } })).status === 200,
    { what: 'the schema is relaxed', timeoutMs: 120_000 },
  );
  const { status } = await policyWith('edge', 'it is malformed', isReady('InvalidSpec'));
  const { message } = conditionOf(status, 'Ready')!;
  for (const said of ['spec.mode: ', 'spec.grants[1]: ', 'mode Enforce', 'unclaimed Deny'])
    assert.ok(message.includes(said), message);

  await restarted(world);
  const trespass = await blog.source('trespass', { 'm.yaml': mapping('trespass', 'granted.example', '/') });
  const nobodys = await blog.source('nobodys', {
    'h.yaml': host('nobodys', 'lost.example'),
    'm.yaml': mapping('nobodys', 'lost.example', '/'),
  });
  const found = [await blocked(trespass), await blocked(nobodys)].map(({ edge }) =>
    edge?.findings.filter(({ blocks }) => blocks).map(({ rule }) => rule),
  );
  assert.ok(found[0]?.includes('EM100') && found[1]?.includes('EM101'), JSON.stringify(found));
  assert.equal(await policyOf(blog, 'Mapping', 'trespass'), undefined);

  await world.expect(200, 'PATCH', `${POLICIES}/edge`, { body: { spec: { mode: 'Warn', grants: null } } });
  await policyWith('edge', 'it holds again', isReady('InForce'));
  await applied(nobodys);
});
