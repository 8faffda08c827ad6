import type { KubeObject } from '../kube/object.ts';
import { EDGE_GROUP } from './gather.ts';
import { isRecord, listAt, textAt, valueAt } from './spec.ts';

/** Is it a CRD of one of Emissary's kinds, by its identity alone? */
export function isEdgeCrd({ group, kind, name }: { group: string; kind: string; name: string }): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition' && name.endsWith(`.${EDGE_GROUP}`);
}

/** apiVersions that the API server serves once this CRD is applied. */
export function versionsServedBy(crd: KubeObject): string[] {
  const versions = listAt(crd['spec'], 'versions').filter((version) => isRecord(version));
  return versions.flatMap((version) => {
    const name = textAt(version, 'name');
    return name !== undefined && valueAt(version, 'served') === true ? [`${EDGE_GROUP}/${name}`] : [];
  });
}
