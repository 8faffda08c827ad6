import { PlumblineError } from '../../src/errors.ts';
import { FINALIZER } from '../../src/api/names.ts';
import { describeIdentity, identityOf, type KubeObject } from '../../src/kube/object.ts';
import type { Client, Reference } from './client.ts';
import { emissaryCrds, installObjects, THINGS } from './shop.ts';
import { DEMO_MANAGER } from './stage.ts';

const ESTABLISHED_MS = 30_000;
/** How long the operator gets for the objects of one source. */
const REMOVED_MS = 20_000;

/** Created by the shop's own repository outside of any namespace. */
const SHOP_ROLE: Reference = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'shop-team' },
};
const SHOP_NAMESPACES = ['shop-edge', 'shop-checkout', 'shop-catalog'].map((name): Reference => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
}));

export async function installEmissaryCrds(client: Client, signal: AbortSignal): Promise<number> {
  const crds = await emissaryCrds();
  await applyAll(client, crds, signal);
  return crds.length;
}

/** Returns the ServiceAccount that the operator runs as. */
export async function installPlumbline(
  client: Client,
  signal: AbortSignal,
): Promise<{ namespace: string; name: string }> {
  const objects = await installObjects();
  await applyAll(client, objects, signal);
  const account = objects.find(({ kind }) => kind === 'ServiceAccount')?.metadata;
  if (!account?.namespace) throw new PlumblineError('DemoInstall', 'deploy/install.yaml holds no ServiceAccount');
  return { namespace: account.namespace, name: account.name };
}

/** Applies in the given order; returns when the API serves every kind among them. */
async function applyAll(client: Client, objects: readonly KubeObject[], signal: AbortSignal): Promise<void> {
  for (const object of objects) await client.apply(object, DEMO_MANAGER, signal);
  for (const crd of objects.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    const what = `${crd.metadata.name} to be established`;
    await client.waitFor(crd, isEstablished, { what, timeoutMs: ESTABLISHED_MS, signal });
  }
}

/** Does the API serve what the CRD defines? Its conditions are null, not absent, until the API server has looked at it. */
export function isEstablished(crd: KubeObject | undefined): boolean {
  const { conditions } = (crd?.status ?? {}) as { conditions?: { type: string; status: string }[] | null };
  return conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}

/** A kubeconfig for the account: the operator has exactly the rights of deploy/install.yaml, as it would in a pod. */
export async function accountKubeconfig(
  client: Client,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } };
  const answer = await client.call<{ status?: { token?: string } }>(path, { method: 'POST', body, signal });
  const token = answer.body.status?.token;
  if (token === undefined)
    throw new PlumblineError('DemoInstall', `no token for ${namespace}/${name} (${answer.status})`);
  return client.kubeconfigFor(token);
}

/**
 * On a cluster that somebody named, the demo only adds. Whatever it would touch must not be there yet: another Plumbline
 * would fight it, and on a cluster with Emissary its Hosts and its Module would join a real edge.
 */
export async function refuseIfTaken(client: Client, signal: AbortSignal): Promise<void> {
  const objects: Reference[] = [...(await installObjects()), ...(await emissaryCrds()), ...SHOP_NAMESPACES, SHOP_ROLE];
  const found = await Promise.all(objects.map((object) => client.get(object, signal).catch(noSuchKind)));
  const taken = found.find((object) => object !== undefined);
  if (!taken) return;
  const what = describeIdentity(identityOf(taken));
  throw new PlumblineError(
    'DemoTaken',
    `${client.server} already has ${what}, which the demo would change; name a cluster without Plumbline and Emissary, or leave --kubeconfig out`,
  );
}

/** Takes away everything that the demo put there, the sources first, so that the operator removes what they own. */
export async function uninstall(client: Client, signal: AbortSignal, patienceMs = REMOVED_MS): Promise<void> {
  const sources = [THINGS.checkout, THINGS.catalog, THINGS.platform];
  for (const source of sources) {
    await client.remove(source, signal).catch(noSuchKind);
    const waiting = { what: `${source.metadata.name} to be deleted`, timeoutMs: patienceMs, signal };
    // Without an operator nobody else would release it; the namespaces that go next take its objects along.
    await client
      .waitFor(source, (object) => object === undefined, waiting)
      .catch(() => release(client, source, signal));
  }
  const rest = [...(await installObjects()), ...(await emissaryCrds())].toReversed();
  for (const object of [...SHOP_NAMESPACES, SHOP_ROLE, ...rest]) await client.remove(object, signal).catch(noSuchKind);
}

async function release(client: Client, source: Reference, signal: AbortSignal): Promise<void> {
  const left = await client.get(source, signal).catch(noSuchKind);
  if (!left?.metadata.finalizers?.includes(FINALIZER)) return;
  await client.edit(source, { metadata: { finalizers: null } }, DEMO_MANAGER, signal);
}

/** A kind that the API server does not know has no objects. */
function noSuchKind(error: unknown): undefined {
  if (error instanceof PlumblineError && error.code === 'DemoUnknownKind') return undefined;
  throw error;
}
