import { GLOBAL_KEY, type Compilation } from './compilation.ts';
import { ContextDraft, type Certificates, type ContextSource } from './context-draft.ts';
import { legacyContexts } from './legacy-tls.ts';
import type { Policy, Spec, TlsContext } from './model.ts';
import { secretId, secretNamed, type FoundSecret, type Secrets } from './secrets.ts';
import { textAt, valueAt } from './spec.ts';

/** One that has none of them has no certificates. Whether they hold something is not asked (`CertKeys` of ir/irtlscontext.py). */
const CERTIFICATE_FIELDS = [
  'secret',
  'cert_chain_file',
  'private_key_file',
  'ca_secret',
  'cacert_chain_file',
  'crl_secret',
  'crl_file',
] as const;

/** The TLS contexts of one run of the compiler, by name: names are global, whatever namespace they come from. */
export class TlsContexts {
  readonly #byName = new Map<string, ContextDraft>();
  readonly #compilation: Compilation;
  readonly #secrets: Secrets;
  /** Where a context says nothing of it. */
  readonly #secretNamespacing: boolean;
  #redirectCleartextFrom: number | undefined;

  /** `config`: of the Module `ambassador`. */
  constructor(compilation: Compilation, secrets: Secrets, { config }: { readonly config: Spec }) {
    this.#compilation = compilation;
    this.#secrets = secrets;
    this.#secretNamespacing = Boolean(valueAt(config, 'defaults', 'tls_secret_namespacing') ?? true);
    for (const source of [...legacyContexts(compilation), ...Array.from(compilation.of('TLSContext'), sourceOf)]) {
      const context = this.create(source);
      if (context) this.save(context);
    }
  }

  /** A context, not yet saved; undefined when its certificate is given in two ways, or halfway. */
  create(source: ContextSource): ContextDraft | undefined {
    const { name, spec } = source;
    const context = new ContextDraft(source);
    const { chain, privateKey } = context.certificates;
    const problems = [];
    if (chain && !privateKey) problems.push(`'cert_chain_file' requires 'private_key_file' as well`);
    if (chain && context.secret) problems.push(`exactly one of 'secret' and 'cert_chain_file' must be present`);
    for (const problem of problems) this.#invalid(context, `TLSContext ${name}: ${problem}`);
    if (problems.length > 0) return undefined;
    if (valueAt(spec, 'redirect_cleartext_from') != null && context.redirectPort === undefined) {
      this.#invalid(context, `TLSContext ${name}: redirect_cleartext_from must be a port number`);
    }
    return context;
  }

  /** The first of a name stays, unless it is of no use. What is not saved is never resolved: it has no certificate. */
  save(context: ContextDraft): void {
    const { name, policy } = context;
    const first = this.usable(name);
    const port = context.redirectPort;
    const conflict =
      port !== undefined && this.#redirectCleartextFrom !== undefined && this.#redirectCleartextFrom !== port;
    this.#redirectCleartextFrom ??= port;
    if (first) {
      this.#compilation.error(GLOBAL_KEY, `Duplicate TLSContext ${name}; keeping definition from ${first.key}`);
    }
    if (conflict) {
      this.#compilation.error(GLOBAL_KEY, `TLSContext: ${name}; configured conflicting redirect_from port: ${port}`);
      if (policy?.kind === 'TLSContext') {
        this.#compilation.drop(policy, 'invalid', 'another TLS context has another redirect_cleartext_from');
      }
    }
    if (!first && !conflict) this.#byName.set(name, context);
  }

  /** The context of that name, if it is good for anything. */
  usable(name: string): ContextDraft | undefined {
    const context = this.#byName.get(name);
    return context?.usable ? context : undefined;
  }

  /** Does any of them, of use or not, name hosts that it terminates TLS for? */
  get terminating(): boolean {
    return [...this.#byName.values()].some(({ hosts }) => hosts.length > 0);
  }

  /** Finds the Secrets of all saved contexts; those that cannot do their work are gone afterwards. */
  resolve(): void {
    for (const [name, context] of this.#byName) {
      if (this.#resolves(context)) continue;
      context.usable = false;
      this.#byName.delete(name);
    }
  }

  finish(): Map<string, TlsContext> {
    return new Map([...this.#byName].map(([name, context]) => [name, context.finish()]));
  }

  #resolves(context: ContextDraft): boolean {
    const { name, spec, certificates } = context;
    const ca = textAt(spec, 'ca_secret');
    const crl = textAt(spec, 'crl_secret');
    const worksAnyway = Boolean(context.redirectPort) || Boolean(textAt(spec, 'alpn_protocols'));
    if (!context.secret && !CERTIFICATE_FIELDS.some((field) => Object.hasOwn(spec, field))) {
      this.#invalid(context, `TLSContext ${name} has no certificate information at all?`);
    }
    let found = true;
    if (context.secret) {
      const server = this.#find(context, context.secret, 'certificate');
      if (server && !server.privateKey) {
        this.#invalid(context, `TLSContext ${name} found no private key in ${described(server)}`);
        return false;
      }
      if (server) addServer(certificates, server);
      else found = false;
    }
    if (crl) {
      const revoked = this.#find(context, crl, 'certificate revocation list');
      if (revoked) certificates.revoked = secretId(revoked);
      else found = false;
    }
    if ((ca || certificates.ca) && !certificates.chain) {
      this.#invalid(context, `TLSContext ${name} cannot validate client certs without TLS termination`);
      return false;
    }
    if (ca) {
      const authority = this.#find(context, ca, 'validation certificate');
      if (authority) certificates.ca = secretId(authority);
      else found = false;
    }
    return found ? this.#complete(context) : worksAnyway;
  }

  /** What terminates TLS for hosts needs a certificate and its key. */
  #complete(context: ContextDraft): boolean {
    const { name, hosts, certificates } = context;
    if (hosts.length === 0) return true;
    const missing = [
      ...(certificates.chain ? [] : ['cert_chain_file']),
      ...(certificates.privateKey ? [] : ['private_key_file']),
    ];
    for (const part of missing) this.#invalid(context, `TLSContext ${name} is missing ${part}`);
    return missing.length === 0;
  }

  #find(context: ContextDraft, written: string, what: string): FoundSecret | undefined {
    const { name, namespace } = secretNamed(written, context, this.#secretNamespacing);
    const by = written === context.secret ? context.secretOf : context.policy;
    const found = this.#secrets.find(name, namespace, by);
    if (!found) {
      this.#invalid(context, `TLSContext ${context.name} found no ${what} in ${described({ name, namespace })}`);
    }
    return found;
  }

  #invalid(context: ContextDraft, message: string): void {
    const { key, policy, usable } = context;
    context.usable = false;
    this.#compilation.error(key, message);
    if (usable && policy?.kind === 'TLSContext') this.#compilation.drop(policy, 'invalid', message);
  }
}

function sourceOf(policy: Policy): ContextSource {
  const { storedName: name, namespace, key, spec } = policy;
  return { name, namespace, key, policy, spec };
}

function addServer(certificates: Certificates, server: FoundSecret): void {
  const id = secretId(server);
  if (server.certificate) certificates.chain = id;
  certificates.privateKey = id;
  if (server.rootCertificate) certificates.ca = id;
}

function described({ name, namespace }: { name: string; namespace: string }): string {
  return `secret ${name} in namespace ${namespace}`;
}
