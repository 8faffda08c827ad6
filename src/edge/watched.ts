import type { KubeObject } from '../kube/object.ts';
import type { EdgeObject, EdgeSettings } from './input.ts';
import { selects } from './label-selector.ts';
import { recordAt } from './spec.ts';

/**
 * Of all objects those that this Emissary reads. It asks the API server for every kind with the same namespace and the same
 * label selector, and for objects without a namespace (IngressClass) not at all when it is confined to one
 * (cmd/entrypoint/interesting_types.go).
 */
export function watchedBy(settings: EdgeSettings, objects: readonly EdgeObject[]): readonly EdgeObject[] {
  if (watchesAll(settings)) return objects;
  const { singleNamespace = false, namespace, labelSelector } = settings;
  return objects.filter(({ object: { metadata } }) => {
    if (singleNamespace && metadata.namespace !== namespace) return false;
    return labelSelector === undefined || selects(labelSelector, labelsOf(metadata));
  });
}

/** Does this Emissary read everything that there is of the kinds that concern it? */
export function watchesAll({ singleNamespace = false, labelSelector }: EdgeSettings): boolean {
  return !singleNamespace && labelSelector === undefined;
}

function labelsOf(metadata: KubeObject['metadata']): Readonly<Record<string, string>> {
  const labels = Object.entries(recordAt(metadata, 'labels'));
  return Object.fromEntries(labels.filter((label): label is [string, string] => typeof label[1] === 'string'));
}
