import { groupOf, type KubeObject } from '../kube/object.ts';
import { CONFIG_ANNOTATION } from './annotations.ts';
import type { EdgeObject } from './input.ts';
import { promisesSecret } from './promised-secrets.ts';
import { shapeOfSecret } from './secrets.ts';
import { textAt } from './spec.ts';

/** The API group of Emissary's policies. */
export const EDGE_GROUP = 'getambassador.io';

/** What the edge reads beside the policies, by `group/kind`: where requests go, what decrypts them, what carries policies. */
const OTHER_KINDS: ReadonlySet<string> = new Set([
  '/Service',
  '/Secret',
  'networking.k8s.io/Ingress',
  'networking.k8s.io/IngressClass',
  'extensions/Ingress',
]);

/** Stands for the value of each key of a Secret: one character in base64. */
const SOMETHING = 'Kg==';

/** Does an object of this kind matter to the edge, as far as its kind tells? Any other matters when it carries `CONFIG_ANNOTATION`. */
export function isOfInterest({ group, kind }: { group: string; kind: string }): boolean {
  return group === EDGE_GROUP || OTHER_KINDS.has(`${group}/${kind}`) || promisesSecret({ group, kind });
}

/**
 * Of any objects those that matter to the edge, and of these no more than it looks at: no value of a Secret, no body of an
 * object that only carries the annotation in a place where nothing reads it.
 */
export function gather(objects: Iterable<EdgeObject>): EdgeObject[] {
  const gathered: EdgeObject[] = [];
  for (const { object, origin } of objects) {
    const reduced = reduce(object);
    if (reduced) gathered.push({ object: reduced, origin });
  }
  return gathered;
}

function reduce(object: KubeObject): KubeObject | undefined {
  const { apiVersion, kind, metadata } = object;
  if (kind === 'Secret' && apiVersion === 'v1') return withoutValues(object);
  if (isOfInterest({ group: groupOf(apiVersion), kind })) return object;
  const config = textAt(metadata.annotations, CONFIG_ANNOTATION);
  if (config === undefined) return undefined;
  const { name, namespace } = metadata;
  const place = { name, ...(namespace !== undefined && { namespace }) };
  return { apiVersion, kind, metadata: { ...place, annotations: { [CONFIG_ANNOTATION]: config } } };
}

/** A Secret in which every value that is there reads the same: the shape of it stays. */
export function withoutValues(object: KubeObject): KubeObject {
  const { name, namespace, type, keys } = shapeOfSecret(object);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    ...(type !== undefined && { type }),
    data: Object.fromEntries([...keys].map((key) => [key, SOMETHING])),
  };
}
