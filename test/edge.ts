// Teams that share one Emissary edge: Plumbline as installed, Emissary's CRDs, and every team may write policies of its own.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import type { EdgePolicy } from '../src/api/edge-policy.ts';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import type { Cluster } from './cluster.ts';
import { applyObject, objectsOf } from './install.ts';
import type { World } from './operator.ts';
import { rightsInForce } from './rights.ts';
import { manifest } from './team.ts';
import { installedWorld, Tenant, type TenantSource } from './tenancy.ts';
import { until } from './until.ts';

const CRDS = 'examples/emissary-crds';
export const EDGE = 'getambassador.io/v3alpha1';

/**
 * The world of one file of tests, and its teams; it ends with the last test of the file:
 * `const { world, shop, blog } = await edgeFixture('shop', 'blog');`
 */
export async function edgeFixture<N extends string>(...names: N[]): Promise<{ world: World } & Record<N, Tenant>> {
  const world = await edgeWorld();
  after(async () => {
    await world[Symbol.asyncDispose]();
    await world.cluster.stop();
  });
  return { world, ...(await teams(world, ...names)) };
}

async function edgeWorld(): Promise<World> {
  const world = await installedWorld();
  await installEmissary(world.cluster);
  await applyObject(world.cluster, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'edge-edit', labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } },
    rules: [{ apiGroups: ['getambassador.io'], resources: ['*'], verbs: ['*'] }],
  });
  const listener = (port: number, protocol: string, securityModel: string) => ({
    apiVersion: EDGE,
    kind: 'Listener',
    metadata: { name: `listener-${port}`, namespace: 'default' },
    spec: { port, protocol, securityModel, hostBinding: { namespace: { from: 'ALL' } } },
  });
  await applyObject(world.cluster, listener(8080, 'HTTP', 'XFP'));
  await applyObject(world.cluster, listener(8443, 'HTTPS', 'XFP'));
  return world;
}

/** Emissary's kinds, as its installation brings them. */
export async function installEmissary(cluster: Cluster): Promise<void> {
  const files = readdirSync(join(import.meta.dirname, '..', CRDS)).filter((file) => file.endsWith('.yaml'));
  for (const crd of files.flatMap((file) => objectsOf(join(CRDS, file))))
    if (crd.kind === 'CustomResourceDefinition') await applyObject(cluster, crd);
  await until(async () => (await cluster.request('GET', `/apis/${EDGE}/mappings`)).status === 200, {
    what: 'Mappings are served',
  });
}

async function teams<N extends string>(world: World, ...names: N[]): Promise<Record<N, Tenant>> {
  const made = await Promise.all(names.map(async (name) => [name, await edgeTenant(world, name)] as const));
  return Object.fromEntries(made) as Record<N, Tenant>;
}

/** A team that may write policies: the cluster adds `edge-edit` to what it may by itself, a moment later. */
async function edgeTenant(world: World, name: string): Promise<Tenant> {
  const tenant = await Tenant.create(world, name);
  const { namespace } = tenant;
  const rule = { apiGroups: ['getambassador.io'], resources: ['*'], verbs: ['*'] };
  await rightsInForce(world.cluster, { user: serviceAccountUser({ name: 'plumbline', namespace }), namespace }, [rule]);
  return tenant;
}

export function mapping(name: string, hostname: string, prefix: string, more: object = {}): string {
  return manifest(EDGE, 'Mapping', name, { spec: { hostname, prefix, service: 'web:80', ...more } });
}

/** Serves a hostname in cleartext: what certificates do stands in tests of its own. */
export function host(name: string, hostname: string, more: object = {}): string {
  const requestPolicy = { insecure: { action: 'Route' } };
  return manifest(EDGE, 'Host', name, { spec: { hostname, requestPolicy, ...more } });
}

export async function edgePolicy(world: World, spec: object, name = 'edge'): Promise<void> {
  await applyObject(world.cluster, {
    apiVersion: 'plumbline.dev/v1alpha1',
    kind: 'EdgePolicy',
    metadata: { name },
    spec,
  });
}

/** As `edgePolicy`, and commits that come from here on are judged by it. */
export async function policyInForce(world: World, spec: object, name = 'edge'): Promise<void> {
  await edgePolicy(world, spec, name);
  await until(
    async () => {
      const { body } = await world.cluster.request<EdgePolicy>(
        'GET',
        `/apis/plumbline.dev/v1alpha1/edgepolicies/${name}`,
      );
      const { status, metadata } = body;
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return status?.observedGeneration === metadata.generation && ready?.reason === 'InForce';
    },
    { what: `the EdgePolicy ${name} is in force`, timeoutMs: 120_000 },
  );
}

/** The policy of this kind and name in the team's namespace. */
export async function policyOf(team: Tenant, kind: string, name: string): Promise<KubeObject | undefined> {
  const path = `/apis/${EDGE}/namespaces/${team.namespace}/${kind.toLowerCase()}s/${name}`;
  const { status, body } = await team.cluster.request('GET', path);
  return status === 200 ? body : undefined;
}

/** The prefix of the team's Mapping of this name. */
export async function prefixOf(team: Tenant, name: string): Promise<string | undefined> {
  return ((await policyOf(team, 'Mapping', name))?.['spec'] as { prefix?: string } | undefined)?.prefix;
}

/** Waits until the newest commit is stopped at the gate, and gives the status. */
export function blocked(source: TenantSource, commit?: string): Promise<GitOpsSourceStatus> {
  return statusWith(source, 'EdgeHealthy=False (EdgeBlocked)', commit, (status) => {
    return reasonOf(status, 'EdgeHealthy') === 'EdgeBlocked' && reasonOf(status, 'Ready') === 'EdgeBlocked';
  });
}

/** Waits until the newest commit is applied as a whole. */
export function applied(source: TenantSource, commit?: string): Promise<GitOpsSourceStatus> {
  return statusWith(source, 'Ready=True', commit, (status) => {
    return status.conditions?.some(({ type, status: now }) => type === 'Ready' && now === 'True') ?? false;
  });
}

/** The rules that stop the newest commit. */
export async function stoppedBy(source: TenantSource, commit?: string): Promise<string[]> {
  const { edge } = await blocked(source, commit);
  return [...new Set((edge?.findings ?? []).filter(({ blocks }) => blocks).map(({ rule }) => rule))];
}

export function reasonOf(status: GitOpsSourceStatus, type: string): string | undefined {
  return status.conditions?.find((condition) => condition.type === type)?.reason;
}

export function statusWith(
  source: TenantSource,
  what: string,
  commit: string | undefined,
  fits: (status: GitOpsSourceStatus) => boolean,
): Promise<GitOpsSourceStatus> {
  let last: GitOpsSourceStatus | undefined;
  return until(
    async () => {
      last = await source.status();
      const isOfCommit = commit === undefined || last.lastAttemptedRevision?.endsWith(commit) === true;
      return isOfCommit && fits(last) ? last : undefined;
    },
    { what, timeoutMs: 120_000 },
  ).catch((cause: unknown) => {
    throw new Error(`${(cause as Error).message}\nstatus: ${JSON.stringify(last, null, 1)}`, { cause });
  });
}
