import { setTimeout as delay } from 'node:timers/promises';
import { FIELD_MANAGER, PRUNE_ANNOTATION } from '../api/names.ts';
import { PlumblineError } from '../errors.ts';
import { isGone, isInvalid, KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { impersonated, type WriteCall } from './actor.ts';

/** How the API server and its built-in kinds say that a field cannot change; other refusals never lead to a delete. */
const IMMUTABLE =
  /immutable|may not (be )?change|cannot (be )?change|fields other than .* are forbidden|can ?not be unset/i;

/** Deleting these would delete what they contain. */
const NEVER: ReadonlySet<string> = new Set([
  '/Namespace',
  '/PersistentVolumeClaim',
  '/PersistentVolume',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

const GONE_TIMEOUT_MS = 30_000;
const GONE_POLL_MS = 50;

export function isImmutable(error: unknown): boolean {
  return (
    isInvalid(error) &&
    error instanceof KubeError &&
    IMMUTABLE.test(error.message + error.causes.map(({ message }) => message).join())
  );
}

/**
 * Deletes the object and creates it again, after a rehearsal (a dry-run create under another name) proved that the server
 * takes the new one. Should creating fail nevertheless, the old object is put back. Resolves with the new object.
 */
export async function recreate(api: KubeApi, call: WriteCall): Promise<KubeObject> {
  const { actor, desired, resource, signal } = call;
  const { namespace, name, group, kind } = desired.identity;
  const refuse = (why: string, cause?: unknown): never => {
    throw new PlumblineError('RecreateRefused', why, {
      object: desired.identity,
      file: desired.file,
      line: desired.line,
      cause,
    });
  };
  if (NEVER.has(`${group}/${kind}`)) refuse(`a ${kind} is never deleted to change an immutable field`);
  await rehearse(api, call).catch((error: unknown) =>
    refuse(`creating it again would fail: ${(error as Error).message}`, error),
  );

  const as = impersonated(actor);
  const before = await api.get(resource, namespace, name, { ...as, signal });
  if (before.metadata.annotations?.[PRUNE_ANNOTATION] === 'disabled')
    refuse(`${PRUNE_ANNOTATION} is disabled on the live object, so it is not deleted to change an immutable field`);
  await api.delete(resource, namespace, name, {
    ...(before.metadata.uid && { uid: before.metadata.uid }),
    ...as,
    signal,
  });
  await gone(api, call);
  const body = (desired.givenUp?.createBody ?? desired.body).text;
  try {
    return (
      await api.apply(resource, namespace, name, body, { fieldManager: FIELD_MANAGER, force: true, ...as, signal })
    ).object;
  } catch (error) {
    await api.create(resource, namespace, JSON.stringify(asNew(before)), {
      fieldManager: FIELD_MANAGER,
      ...as,
      signal,
    });
    return refuse(`creating it again failed, the old one was put back: ${(error as Error).message}`, error);
  }
}

async function rehearse(api: KubeApi, { actor, desired, resource, signal }: WriteCall): Promise<void> {
  const { namespace, name } = desired.identity;
  const object = JSON.parse((desired.givenUp?.createBody ?? desired.body).text) as KubeObject;
  object.metadata = { ...object.metadata, name: `${name.slice(0, 40).replace(/[-.]+$/, '')}-plumbline-rehearsal` };
  await api.create(resource, namespace, JSON.stringify(object), {
    fieldManager: FIELD_MANAGER,
    dryRun: true,
    ...impersonated(actor),
    signal,
  });
}

async function gone(api: KubeApi, { actor, desired, resource, signal }: WriteCall): Promise<void> {
  const { namespace, name } = desired.identity;
  for (let waited = 0; waited < GONE_TIMEOUT_MS; waited += GONE_POLL_MS) {
    try {
      await api.get(resource, namespace, name, { metadataOnly: true, ...impersonated(actor), signal });
    } catch (error) {
      if (isGone(error)) return;
      throw error;
    }
    await delay(GONE_POLL_MS, undefined, { signal });
  }
  throw new PlumblineError(
    'Terminating',
    'was deleted to change an immutable field, and its finalizers have not ended yet',
    { object: desired.identity },
  );
}

/** An object as a manifest: what the server adds is dropped. */
function asNew(object: KubeObject): KubeObject {
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = object.metadata;
  const metadata = {
    name,
    ...(namespace && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
  };
  const { status: _status, ...rest } = object;
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...metadata, ...(finalizers && { finalizers }), ...(ownerReferences && { ownerReferences }) },
  };
}
