import { isUtf8 } from 'node:buffer';
import type { KubeObject } from '../kube/object.ts';
import type { EdgeInput, Origin, SecretShape } from './input.ts';
import type { Spec } from './model.ts';
import { objectsOf } from './objects.ts';
import { promisedSecret, PROMISING_KINDS } from './promised-secrets.ts';
import { recordAt, textAt, valueAt } from './spec.ts';

/** The Secret types that Emissary reads (fetch/secret.py); others do not exist for it. */
const KNOWN_TYPES = new Set(['Opaque', 'kubernetes.io/tls', 'istio.io/key-and-cert']);

/** A Secret as Emissary's compiler finds it: what it holds that TLS can use. */
export interface FoundSecret {
  readonly name: string;
  readonly namespace: string;
  readonly certificate: boolean;
  readonly privateKey: boolean;
  /** A revocation list, or a private key of ACME: upstream keeps both in one place. */
  readonly userKey: boolean;
  /** Istio's `root-cert.pem`: clients are checked against it. */
  readonly rootCertificate: boolean;
}

/** Whatever it is looked at for, it has it. */
function complete(name: string, namespace: string): FoundSecret {
  return { name, namespace, certificate: true, privateKey: true, userKey: true, rootCertificate: false };
}

/** `name.namespace`: how Secrets are named in configurations and messages. */
export function secretId({ name, namespace }: { name: string; namespace: string }): string {
  return `${name}.${namespace}`;
}

/** What is of use in a Secret; undefined when Emissary does not load it: another type, or nothing public inside (ir/ir.py, save_secret_info). */
export function foundIn({ name, namespace, type = 'Opaque', keys }: SecretShape): FoundSecret | undefined {
  if (!KNOWN_TYPES.has(type)) return undefined;
  const found = {
    name,
    namespace,
    certificate: keys.has('tls.crt') || keys.has('cert-chain.pem'),
    privateKey: keys.has('tls.key') || keys.has('key.pem'),
    userKey: keys.has('user.key') || keys.has('crl.pem'),
    rootCertificate: keys.has('root-cert.pem'),
  };
  return found.certificate || found.userKey ? found : undefined;
}

/**
 * The Secret that a name in a TLS context means: `name.namespace`, unless the context says that a dot is just a dot.
 * `namespacing`: what holds where it says nothing.
 */
export function secretNamed(
  written: string,
  { namespace, spec }: { readonly namespace: string; readonly spec: Spec },
  namespacing: boolean,
): { name: string; namespace: string } {
  const own = valueAt(spec, 'secret_namespacing') ?? namespacing;
  const dot = written.lastIndexOf('.');
  if (dot < 0 || !own) return { name: written, namespace };
  return { name: written.slice(0, dot), namespace: written.slice(dot + 1) };
}

/** The keys that the compiler reads, each as a text (`SecretInfo` of utils.py). */
const READ_KEYS = new Set(['tls.crt', 'cert-chain.pem', 'tls.key', 'key.pem', 'user.key', 'crl.pem', 'root-cert.pem']);

/** A Secret without its values; keys without a value are left out, and those in which the compiler finds none. */
export function shapeOfSecret(object: KubeObject): SecretShape {
  const { name, namespace = 'default' } = object.metadata;
  const type = textAt(object, 'type');
  const data = Object.entries(recordAt(object, 'data')).filter(
    ([key, value]) => !READ_KEYS.has(key) || !isBinary(value),
  );
  const values = [...data, ...Object.entries(recordAt(object, 'stringData'))];
  const keys = new Set(values.filter(([, value]) => typeof value === 'string' && value !== '').map(([key]) => key));
  return { name, namespace, keys, ...(type !== undefined && { type }) };
}

/** Is it base64 of what is no text, as DER is? What is no base64 never gets into a cluster: nothing is said of it. */
function isBinary(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9+/=\s]*$/.test(value) && !isUtf8(Buffer.from(value, 'base64'));
}

export function isSecret({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Secret' && apiVersion === 'v1';
}

/** The Secrets of one run of the compiler: those among the objects, or made of them, first, then those that exist beside them. */
export class Secrets {
  readonly #declared = new Map<string, SecretShape>();
  readonly #elsewhere: EdgeInput['secret'];
  readonly #hides: NonNullable<EdgeInput['hides']>;
  /** The only namespace that Emissary reads Secrets in, if there is one. */
  readonly #only: string | undefined;
  // Upstream remembers what it has found by the bare name, but looks there by `name.namespace`: once a Secret with the name
  // `a.b` was asked for, it is given to whoever asks for `a` in namespace `b` (ir/ir.py, resolve_secret).
  readonly #remembered = new Map<string, FoundSecret>();

  constructor(input: EdgeInput) {
    this.#elsewhere = input.secret;
    this.#hides = input.hides ?? (() => false);
    this.#only = input.settings.singleNamespace ? input.settings.namespace : undefined;
    for (const { object } of objectsOf(input, 'Secret')) {
      if (!isSecret(object)) continue;
      const shape = shapeOfSecret(object);
      this.#declared.set(secretId(shape), shape);
    }
    for (const kind of PROMISING_KINDS)
      for (const { object } of objectsOf(input, kind)) this.#promise(promisedSecret(object));
  }

  /** What is there counts before what some controller will make. */
  #promise(shape: SecretShape | undefined): void {
    if (shape && !this.#declared.has(secretId(shape))) this.#declared.set(secretId(shape), shape);
  }

  /** `by`: the policy that names it. */
  find(name: string, namespace: string, by: { readonly origin: Origin } | undefined): FoundSecret | undefined {
    if (this.#only !== undefined && this.#only !== namespace) return undefined;
    const source = by?.origin.source;
    if (source !== undefined && this.#hides(source, name, namespace)) return complete(name, namespace);
    const id = secretId({ name, namespace });
    const remembered = this.#remembered.get(id);
    if (remembered) return remembered;
    const shape = this.#declared.get(id) ?? this.#elsewhere(name, namespace);
    const found = shape && foundIn(shape);
    if (found) this.#remembered.set(name, found);
    return found;
  }
}
