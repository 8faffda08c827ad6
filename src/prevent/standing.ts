import { isNotFound, KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import { bindings } from './bindings.ts';
import { policies, type Platform } from './policy.ts';

/** What stands once for all sources, and what belongs to it. */
export interface Standing {
  platform: Platform;
  /** All of ours goes with our CRD: without it nothing refuses anything. */
  owner: object;
  /** Policies and bindings. */
  objects: readonly KubeObject[];
}

/** Asks the API server who we are, and for our CRD. `crd` and `review` are the kinds to ask. */
export async function askStanding(
  api: KubeApi,
  { crd, review }: { crd: ApiResource; review: ApiResource },
  platform: Omit<Platform, 'operatorUser'>,
  signal: AbortSignal,
): Promise<Standing> {
  const [operatorUser, owner] = await Promise.all([askUser(api, review, signal), askOwner(api, crd, signal)]);
  const whole = { ...platform, operatorUser };
  return { platform: whole, owner, objects: [...policies(whole), ...bindings(whole)] };
}

async function askUser(api: KubeApi, resource: ApiResource, signal: AbortSignal): Promise<string> {
  const review = { apiVersion: resource.apiVersion, kind: resource.kind, metadata: {} };
  const { object } = await api.create(resource, '', review, { signal });
  return (object['status'] as { userInfo: { username: string } }).userInfo.username;
}

async function askOwner(api: KubeApi, crd: ApiResource, signal: AbortSignal): Promise<object> {
  const name = 'gitopssources.plumbline.dev';
  try {
    const { metadata } = await api.get(crd, '', name, { metadataOnly: true, signal });
    return { apiVersion: crd.apiVersion, kind: crd.kind, name, uid: metadata.uid };
  } catch (error) {
    throw isNotFound(error) ? new KubeError('ApiNotFound', `the CRD ${name} is gone`, { cause: error }) : error;
  }
}
