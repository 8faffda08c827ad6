import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import type { ContextDraft } from './context-draft.ts';
import { hostTls } from './host-tls.ts';
import type { Host, Policy, Spec } from './model.ts';
import { TLS_VERSIONS } from './guard.ts';
import { secretId, type FoundSecret, type Secrets } from './secrets.ts';
import { matchLabelsOf } from './selector.ts';
import { isRecord, textAt, valueAt } from './spec.ts';
import type { TlsContexts } from './tls-contexts.ts';
import { shown } from './shown.ts';

/** Where the invented Host takes its certificate from, in Emissary's own namespace. */
const FALLBACK_SECRET = 'fallback-self-signed-cert';

/** A Host while the compiler works on it: whether its context is good for anything is known last. */
interface HostDraft {
  readonly name: string;
  readonly namespace: string;
  readonly key: string;
  readonly policy: Policy | undefined;
  readonly spec: Spec;
  readonly hostname: string;
  context: ContextDraft | undefined;
}

/** The valid Hosts in the compiler's order, or the one that it invents when there is none (ir/irhost.py). Resolves the TLS contexts. */
export function loadHosts(compilation: Compilation, contexts: TlsContexts, secrets: Secrets): Host[] {
  const loader = new HostLoader(compilation, contexts, secrets);
  const drafts = [...compilation.of('Host')]
    .map((policy) => loader.load(draftOf(policy)))
    .filter((draft) => draft !== undefined);
  if (drafts.length === 0) {
    const invented = loader.load(loader.fallback());
    if (invented) drafts.push(invented);
    else compilation.error(GLOBAL_KEY, 'Synthesized default host is inactive?');
  }
  contexts.resolve();
  return drafts.map(finish);
}

function draftOf(policy: Policy): HostDraft {
  const { storedName: name, namespace, key, spec } = policy;
  return { name, namespace, key, policy, spec, hostname: textAt(spec, 'hostname') || '*', context: undefined };
}

function finish({ name, namespace, hostname, policy, spec, context }: HostDraft): Host {
  const selector = [spec['mappingSelector'], spec['selector']].find(
    (written) => isRecord(written) && Object.keys(written).length > 0,
  );
  return {
    name,
    namespace,
    hostname,
    policy,
    context: context?.usable ? context.finish() : undefined,
    insecureAction: insecureActionOf(spec) ?? 'Redirect',
    selector: selector === undefined ? undefined : matchLabelsOf(selector),
  };
}

class HostLoader {
  readonly #compilation: Compilation;
  readonly #contexts: TlsContexts;
  readonly #secrets: Secrets;

  constructor(compilation: Compilation, contexts: TlsContexts, secrets: Secrets) {
    this.#compilation = compilation;
    this.#contexts = contexts;
    this.#secrets = secrets;
  }

  /** Undefined: the Host is dropped. */
  load(host: HostDraft): HostDraft | undefined {
    const { spec, namespace, key, policy } = host;
    const secret = textAt(spec, 'tlsSecret', 'name');
    // Without a Secret nothing that the Host says about TLS is looked at.
    if (secret && !this.#terminate(host, secret)) return undefined;
    const acmeKey = textAt(spec, 'acmeProvider', 'privateKeySecret', 'name');
    if (acmeKey && !this.#secrets.find(acmeKey, namespace, policy)) {
      this.#compilation.error(
        key,
        `continuing with invalid ACME private key secret ${acmeKey}; ACME will not be able to renew this certificate`,
      );
    }
    return host;
  }

  /** What is served when there is no valid Host: everything, over TLS if there is a certificate for it, else in clear text. */
  fallback(): HostDraft {
    const { namespace } = this.#compilation.settings;
    if (this.#contexts.terminating) {
      this.#compilation.error(
        GLOBAL_KEY,
        'No Hosts defined, but TLSContexts exist that terminate TLS. The TLSContexts are being ignored.',
      );
    }
    const certified = this.#secrets.find(FALLBACK_SECRET, namespace, undefined) !== undefined;
    if (!certified) {
      this.#compilation.notice(GLOBAL_KEY, 'No TLS termination and no fallback cert -- defaulting to cleartext-only.');
    }
    const spec = certified
      ? { tlsSecret: { name: FALLBACK_SECRET } }
      : { requestPolicy: { insecure: { action: 'Route' } } };
    return {
      name: 'default-host',
      namespace,
      key: '-internal',
      policy: undefined,
      spec,
      hostname: '*',
      context: undefined,
    };
  }

  #terminate(host: HostDraft, secretName: string): boolean {
    const { name, namespace, spec, policy } = host;
    const elsewhere = textAt(spec, 'tlsSecret', 'namespace');
    const written = elsewhere ? `${secretName}.${elsewhere}` : secretName;
    const secret = this.#secrets.find(secretName, elsewhere || namespace, policy);
    if (!secret)
      return this.#refuse(host, `its TLS secret ${written} does not exist or holds no certificate`, 'silently');
    const linked = textAt(spec, 'tlsContext', 'name');
    const own = hostTls(spec);
    const implicit = `${name}-context`;
    if (linked && own) return this.#refuse(host, 'both TLSContext name and TLS config specified, ignoring Host...');
    if (linked) return this.#link(host, linked, secret, written);
    if (own) return this.#bring(host, own, written);
    if (this.#contexts.usable(implicit)) return this.#link(host, implicit, secret, written);
    return this.#bring(host, {}, written);
  }

  /** The context that the Host makes of its own `tls`, or of its Secret alone. */
  #bring(host: HostDraft, tls: Spec, secret: string): boolean {
    const { name, namespace, key, policy, spec, hostname } = host;
    for (const field of ['min_tls_version', 'max_tls_version']) {
      const version = valueAt(tls, field);
      if (version === undefined || (TLS_VERSIONS as readonly unknown[]).includes(version)) continue;
      return this.#refuse(host, `Invalid ${field} set in Host.tls: ${shown(version)}`);
    }
    const namespacing = textAt(spec, 'tlsSecret', 'namespace') ? { secret_namespacing: true } : {};
    const made = this.#contexts.create({
      name: `${name}-context`,
      namespace,
      key,
      policy,
      spec: { ...tls, ...namespacing, hosts: [hostname], secret },
    });
    if (!made) return this.#refuse(host, `generated TLSContext ${name}-context from Host.tls is not valid`);
    host.context = made;
    this.#contexts.save(made);
    return true;
  }

  /** An existing context, when it goes with the Host's Secret. */
  #link(host: HostDraft, contextName: string, secret: FoundSecret, written: string): boolean {
    const { name, namespace, key, policy, hostname } = host;
    const context = this.#contexts.usable(contextName);
    if (!context) return this.#refuse(host, `Specified TLSContext does not exist: ${contextName}`);
    if (context.secret === '') {
      const message = `Host ${name}: the secret of TLSContext ${contextName} is an empty text`;
      throw new Frozen({ stage: 'ir', message, policy: context.policy });
    }
    if (context.secret) {
      // The context's Secret, but looked for in the Host's namespace, and a dot in its name is just a dot.
      const other = this.#secrets.find(context.secret, namespace, policy);
      if (!other || secretId(other) !== secretId(secret)) {
        return this.#refuse(
          host,
          `its secret ${written} is not the secret ${context.secret} of TLSContext ${contextName}`,
        );
      }
    } else {
      context.secret = written;
      context.secretOf = policy;
    }
    if (context.hosts.length === 0) {
      context.hosts = [hostname];
    } else if (!context.hosts.some((one) => one === hostname || one === name)) {
      this.#compilation.error(
        key,
        `Host ${name}: TLSContext ${contextName} is for other hosts (${context.hosts.join(', ')})`,
      );
    }
    host.context = context;
    return true;
  }

  #refuse({ name, key, policy }: HostDraft, why: string, silently?: 'silently'): false {
    if (!silently) this.#compilation.error(key, `Host ${name}: ${why}`);
    if (policy) this.#compilation.drop(policy, 'invalid', why);
    return false;
  }
}

/** What a Host does with requests that are not over TLS; undefined: a word that the compiler does not know, and raises for. */
export function insecureActionOf(spec: Spec): Host['insecureAction'] | undefined {
  const action = valueAt(spec, 'requestPolicy', 'insecure', 'action');
  if (action === undefined) return 'Redirect';
  if (action === null || action === 'Reject') return 'Reject';
  const word = typeof action === 'string' ? action.toLowerCase() : '';
  return word === 'route' ? 'Route' : word === 'redirect' ? 'Redirect' : undefined;
}
