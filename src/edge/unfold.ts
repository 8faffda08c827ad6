import { groupOf } from '../kube/object.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Policy } from './model.ts';

/** A policy before the names of all are known and before one knows who declares it. */
export type Unfolded = Omit<Policy, 'storedName' | 'origin'>;

/** The policies that an object is, or carries in its annotation, in their order; none for an object that the edge does not read. */
export function unfold(object: KubeObject): readonly Unfolded[] {
  if (groupOf(object.apiVersion) !== 'getambassador.io') return [];
  const { name, namespace = 'default', labels = {} } = object.metadata;
  const spec = (object['spec'] ?? {}) as Policy['spec'];
  return [{ kind: object.kind, name, namespace, labels, spec, key: `${name}.${namespace}.1`, written: object }];
}
