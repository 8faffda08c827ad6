import type { Hit, Judged, Rule } from '../finding.ts';
import type { Policy } from '../model.ts';
import type { EdgeInput } from '../input.ts';
import { describe, ownerOf, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { secretUses } from '../tls-uses.ts';
import { contextOf, secretsOf } from '../tls-written.ts';

export const TLS_SECRET_RULES: readonly Rule[] = [
  {
    id: 'EM066',
    name: 'mtls-fail-open',
    severity: 'error',
    impact: 'protection-lost',
    when: '`ca_secret` or `crl_secret` cannot be loaded: the Secret is missing, of another type, or has no `tls.crt` (`ca.crt` does not count), or no `crl.pem`.',
    means:
      'The whole TLS context falls away: the Host serves plain text, and a Listener with securityModel SECURE routes every request without TLS and without a client certificate.',
    mend: 'Put the authority’s certificate into the key `tls.crt` (a revocation list into `crl.pem`) of an Opaque or kubernetes.io/tls Secret.',
    find: mtlsFailOpen,
  },
  {
    id: 'EM075',
    name: 'foreign-secret',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'A TLSContext or Host uses a Secret of a namespace in which its owner declares nothing; or a Secret’s name has a dot that is meant literally.',
    means:
      'Every namespace can use the certificates of every other that Emissary may read. A dot stands before a namespace, so a Secret called `istio.default` is looked for as `istio` in `default`.',
    mend: 'Use a Secret of the own namespace; for a name with a dot set `secret_namespacing: false`.',
    find: foreignSecret,
  },
];

function* mtlsFailOpen({ edge, input }: Judged): Iterable<Hit> {
  const secrets = secretsOf(input);
  for (const { policy, field, name, namespace } of secretUses(edge)) {
    if (field !== 'ca_secret' && field !== 'crl_secret') continue;
    const found = secrets.find(name, namespace, policy);
    if (field === 'crl_secret' ? found?.userKey : found?.certificate) continue;
    const object = partyOf(policy);
    const hosts = edge.hosts.filter((host) => host.policy && usesSetting(host.policy, policy));
    const plain = hosts.filter(({ context }) => !context).map(({ hostname }) => hostname);
    const key = field === 'crl_secret' ? 'crl.pem' : 'tls.crt';
    const message = `${describe(object)} has ${field} ${shown(`${namespace}/${name}`)}, which is no Secret with ${key}: ${effectOn(field, hosts.length, plain)}`;
    const [host] = hosts;
    yield { object, detail: field, ...(host && { traffic: { host: host.hostname } }), message };
  }
}

function usesSetting(host: Policy, setting: Policy): boolean {
  return setting.kind === 'Host' ? host === setting : contextOf(host) === setting.storedName;
}

function effectOn(field: string, users: number, plain: readonly string[]): string {
  if (plain.length > 0) return `${shown(plain.join(', '))} is served in plain text, without client certificates`;
  if (users === 0) return 'the TLS context falls away';
  return field === 'crl_secret' ? 'revoked certificates are let in' : 'client certificates are not checked';
}

function* foreignSecret({ edge, input }: Judged): Iterable<Hit> {
  const secrets = secretsOf(input);
  const homes = new Homes(input);
  for (const { policy, field, written, name, namespace } of secretUses(edge)) {
    if (namespace === policy.namespace) continue;
    const object = partyOf(policy);
    if (
      !secrets.find(name, namespace, policy) &&
      field !== 'tlsSecret' &&
      literally(input, written, policy.namespace)
    ) {
      const message = `${describe(object)} has ${field} ${shown(written)}, looked for as ${shown(name)} in ${shown(namespace)}; the Secret ${shown(`${policy.namespace}/${written}`)} is not used`;
      yield { object, detail: field, message };
    } else if (!homes.has(policy, namespace)) {
      const message = `${describe(object)} has ${field} ${shown(`${namespace}/${name}`)}: a Secret of another namespace`;
      yield { object, detail: field, message };
    }
  }
}

function literally({ objects, secret }: EdgeInput, name: string, namespace: string): boolean {
  const declared = objects.some(
    ({ object }) =>
      object.kind === 'Secret' && object.metadata.name === name && (object.metadata.namespace ?? '') === namespace,
  );
  return declared || secret(name, namespace) !== undefined;
}

/** The namespaces in which a source declares anything: those are its own. Worked out when the first one is asked for. */
class Homes {
  readonly #input: EdgeInput;
  #bySource: Map<string, Set<string>> | undefined;

  constructor(input: EdgeInput) {
    this.#input = input;
  }

  has(policy: Policy, namespace: string): boolean {
    if (namespace === policy.namespace) return true;
    this.#bySource ??= this.#read();
    return this.#bySource.get(ownerOf(policy))?.has(namespace) ?? false;
  }

  #read(): Map<string, Set<string>> {
    const homes = new Map<string, Set<string>>();
    for (const { object, origin } of this.#input.objects) {
      const namespace = object.metadata.namespace ?? '';
      const owner = ownerOf({ origin, namespace });
      homes.set(owner, (homes.get(owner) ?? new Set()).add(namespace));
    }
    return homes;
  }
}
