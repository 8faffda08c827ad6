import { groupOf, type KubeObject } from '../kube/object.ts';
import type { SecretShape } from './input.ts';
import { listAt, recordAt, textAt, valueAt } from './spec.ts';

/** What a controller writes whose keys the declaration does not tell: whatever a policy may ask for. */
const ANY_KEYS: readonly string[] = ['tls.crt', 'tls.key', 'ca.crt', 'crl.pem'];

/** Kinds that make a Secret, by `group/kind`. */
const PROMISES: ReadonlyMap<string, (object: KubeObject) => SecretShape | undefined> = new Map([
  ['cert-manager.io/Certificate', certificate],
  ['certmanager.k8s.io/Certificate', certificate],
  ['external-secrets.io/ExternalSecret', externalSecret],
  ['bitnami.com/SealedSecret', sealedSecret],
  ['secrets.hashicorp.com/VaultStaticSecret', vaultSecret],
  ['secrets.hashicorp.com/VaultPKISecret', vaultSecret],
]);

/** The kinds, whatever their groups. */
export const PROMISING_KINDS: ReadonlySet<string> = new Set(
  [...PROMISES.keys()].map((key) => key.slice(key.indexOf('/') + 1)),
);

/** Does an object of this kind make a Secret? */
export function promisesSecret({ group, kind }: { group: string; kind: string }): boolean {
  return PROMISES.has(`${group}/${kind}`);
}

/** The Secret that some controller will make of an object; undefined for an object that promises none. */
export function promisedSecret(object: KubeObject): SecretShape | undefined {
  return PROMISES.get(`${groupOf(object.apiVersion)}/${object.kind}`)?.(object);
}

/** cert-manager: certificate, key and, of most issuers, its authority. */
function certificate(object: KubeObject): SecretShape | undefined {
  const name = textAt(object['spec'], 'secretName');
  return name ? shape(object, name, 'kubernetes.io/tls', ['tls.crt', 'tls.key', 'ca.crt']) : undefined;
}

/** External Secrets Operator: named keys, keys of a template, or all that a store holds. */
function externalSecret(object: KubeObject): SecretShape {
  const { spec } = object;
  const named = listAt(spec, 'data').flatMap((entry) => textAt(entry, 'secretKey') ?? []);
  const template = Object.keys(recordAt(spec, 'target', 'template', 'data'));
  const fromElsewhere =
    listAt(spec, 'dataFrom').length > 0 || listAt(spec, 'target', 'template', 'templateFrom').length > 0;
  // A template replaces what was fetched, unless it says Merge.
  const merges = template.length === 0 || textAt(spec, 'target', 'template', 'mergePolicy') === 'Merge';
  const keys = [...template, ...(merges ? named : []), ...(fromElsewhere ? ANY_KEYS : [])];
  const name = textAt(spec, 'target', 'name') || object.metadata.name;
  return shape(object, name, textAt(spec, 'target', 'template', 'type'), keys);
}

/** Sealed Secrets: the same name, the sealed keys and those of the template. */
function sealedSecret(object: KubeObject): SecretShape {
  const { spec } = object;
  const keys = [...Object.keys(recordAt(spec, 'encryptedData')), ...Object.keys(recordAt(spec, 'template', 'data'))];
  return shape(object, object.metadata.name, textAt(spec, 'template', 'type'), keys);
}

/** Vault Secrets Operator: a destination that it creates, or that others made. */
function vaultSecret(object: KubeObject): SecretShape | undefined {
  const name = textAt(object['spec'], 'destination', 'name');
  if (!name || valueAt(object['spec'], 'destination', 'create') !== true) return undefined;
  return shape(object, name, textAt(object['spec'], 'destination', 'type'), ANY_KEYS);
}

function shape(
  { metadata: { namespace = 'default' } }: KubeObject,
  name: string,
  type: string | undefined,
  keys: readonly string[],
): SecretShape {
  return { name, namespace, keys: new Set(keys), ...(type !== undefined && { type }) };
}
