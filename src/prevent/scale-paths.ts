import type { FieldPath } from '../drift/fields.ts';
import { isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';

const REPLICAS: FieldPath = [{ field: 'spec' }, { field: 'replicas' }];

interface Crd extends KubeObject {
  spec: { versions: { name: string; subresources?: { scale?: { specReplicasPath: string } } }[] };
}

/** Which field the subresource scale of a kind sets. Custom resources may have another one than `spec.replicas`; their CRD says which. */
export class ScalePaths {
  readonly #api: KubeApi;
  /** By the name of the CRD (`plural.group`); undefined: there is none, an aggregated API serves the kind. */
  readonly #crds = new Map<string, Promise<Crd | undefined>>();

  constructor(api: KubeApi) {
    this.#api = api;
  }

  /** `crds` is the kind to ask. */
  async of({ group, plural, version }: ApiResource, crds: ApiResource, signal: AbortSignal): Promise<FieldPath> {
    // `apps` and the core: what Kubernetes itself has scaled.
    if (!group.includes('.')) return REPLICAS;
    const name = `${plural}.${group}`;
    const crd = await this.#crd(name, crds, signal);
    const path = crd?.spec.versions.find((one) => one.name === version)?.subresources?.scale?.specReplicasPath;
    return path === undefined ? REPLICAS : path.split('.').flatMap((field) => (field === '' ? [] : [{ field }]));
  }

  /** It has another content now. */
  forget(crd: string): void {
    this.#crds.delete(crd);
  }

  async #crd(name: string, crds: ApiResource, signal: AbortSignal): Promise<Crd | undefined> {
    const asked = this.#crds.get(name) ?? this.#read(name, crds, signal);
    this.#crds.set(name, asked);
    try {
      return await asked;
    } catch (error) {
      if (this.#crds.get(name) === asked) this.#crds.delete(name);
      throw error;
    }
  }

  async #read(name: string, crds: ApiResource, signal: AbortSignal): Promise<Crd | undefined> {
    try {
      return (await this.#api.get(crds, '', name, { signal })) as Crd;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
