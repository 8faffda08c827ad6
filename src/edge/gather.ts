import type { KubeObject } from '../kube/object.ts';
import { promisesSecret } from './promised-secrets.ts';
import { isSecret, shapeOfSecret } from './secrets.ts';

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

/** A Secret in which every value that is there reads the same: the shape of it stays. Any other object as it is. */
export function withoutValues(object: KubeObject): KubeObject {
  if (!isSecret(object)) return object;
  const { name, namespace, type, keys } = shapeOfSecret(object);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    ...(type !== undefined && { type }),
    data: Object.fromEntries([...keys].map((key) => [key, SOMETHING])),
  };
}
