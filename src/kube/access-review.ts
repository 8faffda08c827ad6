import type { KubeApi } from './objects.ts';
import type { Impersonation } from './impersonation.ts';
import { KubeError } from './errors.ts';
import type { ApiResource } from './resource.ts';

/** What somebody would do. */
export interface Deed {
  /** `get`, `patch`, … */
  readonly verb: string;
  readonly resource: Pick<ApiResource, 'group' | 'plural'>;
  /** '' for a cluster-scoped kind. */
  readonly namespace: string;
  /** Absent: any object of the namespace. */
  readonly name?: string;
}

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/**
 * May the one who asks do this? Everybody may ask it of himself, so this needs no right but to act as `impersonate`
 * (authorization.k8s.io/v1 SelfSubjectAccessReview). A user who does not exist may do nothing.
 */
export async function mayDo(
  api: KubeApi,
  { verb, resource: { group, plural }, namespace, name }: Deed,
  { impersonate, signal }: { impersonate: Impersonation | undefined; signal: AbortSignal },
): Promise<boolean> {
  const resourceAttributes = { verb, group, resource: plural, namespace, ...(name !== undefined && { name }) };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const { body } = await api.transport.request('POST', PATH, {
    signal,
    impersonate,
    body: JSON.stringify(review),
    verb: 'create',
    resource: 'selfsubjectaccessreviews',
    retry: true,
  });
  const { status } = (body ?? {}) as { status?: { allowed?: unknown } | null };
  if (typeof status?.allowed === 'boolean') return status.allowed;
  throw new KubeError('ApiUnexpectedAnswer', `the answer to ${PATH} is no review: is a proxy in between?`);
}
