import type { KubeObject } from '../kube/object.ts';
import type { EdgeObject, EdgeSettings } from './input.ts';
import { selects } from './label-selector.ts';
import { recordAt } from './spec.ts';

/**
 * Of all objects those that this Emissary reads. It asks the API server for every kind with the same namespace and the same
 * label selector, and for objects without a namespace (IngressClass) not at all when it is confined to one
 * (cmd/entrypoint/interesting_types.go).
 */
export function watchedBy(
  { singleNamespace = false, namespace, labelSelector }: EdgeSettings,
  objects: readonly EdgeObject[],
): readonly EdgeObject[] {
  if (!singleNamespace && labelSelector === undefined) return objects;
  return objects.filter(({ object: { metadata } }) => {
    if (singleNamespace && metadata.namespace !== namespace) return false;
    return labelSelector === undefined || selects(labelSelector, labelsOf(metadata));
  });
}

function labelsOf(metadata: KubeObject['metadata']): Readonly<Record<string, string>> {
  const labels = Object.entries(recordAt(metadata, 'labels'));
  return Object.fromEntries(labels.filter((label): label is [string, string] => typeof label[1] === 'string'));
}
