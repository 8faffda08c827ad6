import { TLS_VERSIONS } from './guard.ts';
import type { Policy, Spec, TlsContext } from './model.ts';
import { listAt, numberAt, textAt, valueAt } from './spec.ts';

/** What a context is made of: the spec of a TLSContext, or what a Host brings with it. */
export interface ContextSource {
  readonly name: string;
  readonly namespace: string;
  /** What its errors are posted under. */
  readonly key: string;
  readonly policy: Policy | undefined;
  readonly spec: Spec;
}

/** Where the parts of a context's certificates are: `name.namespace` of a Secret, or the path of a file. */
export interface Certificates {
  chain?: string;
  privateKey?: string;
  ca?: string;
  revoked?: string;
}

/**
 * A TLS context while the compiler works on it (ir/irtlscontext.py). One that an error was posted for still exists and keeps
 * its name, but counts as absent wherever somebody wants to use it: TLS is then not terminated, or not originated.
 */
export class ContextDraft {
  readonly name: string;
  readonly namespace: string;
  readonly key: string;
  readonly policy: Policy | undefined;
  readonly spec: Spec;
  hosts: readonly string[];
  /** As written: resolved in the context's namespace, later than everything else. */
  secret: string | undefined;
  /** Whose word `secret` is: a Host lends its own to a context that has none. */
  secretOf: Policy | undefined;
  usable = true;
  certificates: Certificates;
  #finished: TlsContext | undefined;

  constructor({ name, namespace, key, policy, spec }: ContextSource) {
    this.name = name;
    this.namespace = namespace;
    this.key = key;
    this.policy = policy;
    this.spec = spec;
    this.hosts = listAt(spec, 'hosts').filter((host) => typeof host === 'string');
    this.secret = textAt(spec, 'secret');
    this.secretOf = policy;
    this.certificates = filesOf(spec);
  }

  /** The port of `redirect_cleartext_from`: nothing is redirected any more, but two contexts may not name two. */
  get redirectPort(): number | undefined {
    const text = textAt(this.spec, 'redirect_cleartext_from');
    if (text !== undefined) return /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined;
    return numberAt(this.spec, 'redirect_cleartext_from');
  }

  /** Once all contexts are resolved: nothing changes any more. */
  finish(): TlsContext {
    return (this.#finished ??= this.#read());
  }

  #read(): TlsContext {
    const { name, policy, hosts, spec, certificates, usable } = this;
    const alpn = textAt(spec, 'alpn_protocols');
    return {
      name,
      policy,
      hosts,
      usable,
      secret: certificates.chain,
      caSecret: certificates.ca,
      crlSecret: certificates.revoked,
      certRequired: valueAt(spec, 'cert_required') === true,
      minTls: versionAt(spec, 'min_tls_version'),
      maxTls: versionAt(spec, 'max_tls_version'),
      alpn: alpn === undefined ? [] : [alpn],
      cipherSuites: textsAt(spec, 'cipher_suites'),
      ecdhCurves: textsAt(spec, 'ecdh_curves'),
      sni: textAt(spec, 'sni'),
    };
  }
}

function filesOf(spec: Spec): Certificates {
  const [chain, privateKey] = [textAt(spec, 'cert_chain_file'), textAt(spec, 'private_key_file')];
  const [ca, revoked] = [textAt(spec, 'cacert_chain_file'), textAt(spec, 'crl_file')];
  return { ...(chain && { chain }), ...(privateKey && { privateKey }), ...(ca && { ca }), ...(revoked && { revoked }) };
}

function versionAt(spec: Spec, field: string): string | undefined {
  const version = textAt(spec, field);
  return TLS_VERSIONS.find((known) => known === version);
}

function textsAt(spec: Spec, field: string): string[] {
  return listAt(spec, field).filter((item) => typeof item === 'string');
}
