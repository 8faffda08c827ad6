import type { Hit, Judged, Rule, Severity } from '../finding.ts';
import type { Edge, Host, Policy, TlsContext } from '../model.ts';
import { dropOf, standing } from '../dropped.ts';
import { TLS_VERSIONS, type TlsVersion } from '../guard.ts';
import { describe, partyOf, policiesOf } from '../party.ts';
import { shown } from '../shown.ts';
import { listAt, textAt, valueAt } from '../spec.ts';
import { contextReferences } from '../tls-uses.ts';
import { type WrittenTls, writtenTls } from '../tls-written.ts';

export const TLS_CONTEXT_RULES: readonly Rule[] = [
  {
    id: 'EM064',
    name: 'tls-version',
    severity: 'error',
    impact: 'protection-lost',
    when: 'The oldest TLS version that is taken lies below the floor (v1.2, or what an EdgePolicy or a source asks for); or a Host names a version that does not exist. A warning where none is set.',
    means:
      'Old versions can be attacked. A Host with an unknown version is dropped. Without one Envoy’s own default holds, which changes with Envoy.',
    mend: 'Set `min_tls_version` to the floor or above: v1.0, v1.1, v1.2 or v1.3.',
    find: tlsVersion,
  },
  {
    id: 'EM065',
    name: 'weak-cipher',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'A cipher suite without forward secrecy, or with CBC, 3DES, RC4 or no encryption.',
    means: 'What is recorded today can be read once the key is known, or be attacked while it passes.',
    mend: 'Keep suites of ECDHE with GCM or CHACHA20-POLY1305.',
    find: weakCipher,
  },
  {
    id: 'EM067',
    name: 'cert-required-no-ca',
    severity: 'error',
    impact: 'protection-lost',
    when: '`cert_required` is true and there is no certificate authority to check clients against.',
    means: 'Envoy asks clients for a certificate and takes any.',
    mend: 'Set `ca_secret`.',
    find: certRequiredNoCa,
  },
  {
    id: 'EM068',
    name: 'ca-optional',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'A TLS context that Hosts or TCPMappings use has a certificate authority and does not require a certificate.',
    means: 'Clients without a certificate are let in.',
    mend: 'Set `cert_required: true`.',
    find: caOptional,
  },
  {
    id: 'EM069',
    name: 'context-name-clash',
    severity: 'error',
    impact: 'protection-lost',
    when: 'Two TLSContexts of different namespaces have one name, and something refers to it.',
    means:
      'References carry no namespace: the first in the order of namespaces is meant everywhere, with its certificate and its TLS versions.',
    mend: 'Give each TLSContext a name of its own.',
    find: contextNameClash,
  },
  {
    id: 'EM071',
    name: 'inert-context',
    severity: 'warning',
    impact: 'no-effect',
    when: 'A TLSContext has `hosts`, and no Host, no `tls` of another policy and no host of a TCPMapping uses it.',
    means: 'It terminates nothing: for HTTP only Hosts do, so its versions and its client certificates do not hold.',
    mend: 'Name it in `tlsContext` of the Host, or remove it.',
    find: inertContext,
  },
  {
    id: 'EM074',
    name: 'no-op-field',
    severity: 'warning',
    impact: 'no-effect',
    when: '`redirect_cleartext_from`, `requestPolicy.insecure.additionalPort`, `prune_unreachable_routes` or `previewUrl` is set. An error where two TLS contexts have different `redirect_cleartext_from`.',
    means:
      'Nothing reads them any more; of two contexts with different `redirect_cleartext_from` the second is rejected.',
    mend: 'Remove the field; redirect with `requestPolicy.insecure` of the Host.',
    find: noOpField,
  },
];

/** Hosts and TCP chains by the TLS context that they terminate with. */
function terminators(edge: Edge): ReadonlyMap<TlsContext, Host | undefined> {
  const users = new Map<TlsContext, Host | undefined>();
  for (const host of edge.hosts) if (host.context && !users.has(host.context)) users.set(host.context, host);
  for (const { chains } of edge.listeners) {
    for (const { tcp, context } of chains) if (tcp && context && !users.has(context)) users.set(context, undefined);
  }
  return users;
}

function hostTraffic({ spec, kind }: Policy): Pick<Hit, 'traffic'> {
  const host = kind === 'Host' ? textAt(spec, 'hostname') : undefined;
  return host === undefined ? {} : { traffic: { host } };
}

function* tlsVersion({ edge, guard: { tlsFloor } }: Judged): Iterable<Hit> {
  for (const written of writtenTls(edge)) yield* writtenVersions(written, tlsFloor);
  // Envoy takes TLS 1.2 and later of clients unless told otherwise, so nothing is promised above that.
  const severity: Severity = rank(tlsFloor) > rank('v1.2') ? 'error' : 'warning';
  for (const [{ policy, minTls }] of terminators(edge)) {
    if (!policy || minTls !== undefined || writesVersion(policy)) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} sets no min_tls_version (the floor is ${tlsFloor})`;
    yield { object, ...hostTraffic(policy), detail: 'unset', severity, message };
  }
}

function* writtenVersions({ policy, fields }: WrittenTls, floor: TlsVersion): Iterable<Hit> {
  const object = partyOf(policy);
  const traffic = hostTraffic(policy);
  for (const field of ['min_tls_version', 'max_tls_version']) {
    const version = valueAt(fields, field) ?? undefined;
    if (version === undefined) continue;
    if (rank(version) < 0) {
      const known = TLS_VERSIONS.join(', ');
      const effect = policy.kind === 'Host' ? ': the Host is dropped' : '';
      const message = `${describe(object)} has ${field} ${shown(version)}, none of ${known}${effect}`;
      yield { object, ...traffic, detail: field, degree: TLS_VERSIONS.length, impact: 'drop', message };
    } else if (rank(version) < rank(floor)) {
      const message = `${describe(object)} has ${field} ${shown(version)}, below the floor ${floor}`;
      yield { object, ...traffic, detail: field, degree: rank(floor) - rank(version), message };
    }
  }
}

function writesVersion({ kind, spec }: Policy): boolean {
  const tls = kind === 'Host' ? valueAt(spec, 'tls') : spec;
  return (valueAt(tls, 'min_tls_version') ?? valueAt(tls, 'minTlsVersion') ?? undefined) !== undefined;
}

/** -1: no version that there is. */
function rank(version: unknown): number {
  return TLS_VERSIONS.findIndex((known) => known === version);
}

function* weakCipher({ edge }: Judged): Iterable<Hit> {
  for (const { policy, fields } of writtenTls(edge)) {
    // `[A|B]`: suites of equal preference.
    const suites = listAt(fields, 'cipher_suites').flatMap((item) =>
      typeof item === 'string' ? item.split(/[[\]|]/) : [],
    );
    const weak = suites.filter(isWeak);
    if (weak.length === 0) continue;
    const object = partyOf(policy);
    yield {
      object,
      ...hostTraffic(policy),
      message: `${describe(object)} takes the cipher suites ${shown(weak.join(', '))}`,
    };
  }
}

/** OpenSSL's names of CBC suites do not say so: what is no AEAD is one. Unknown names are EM008's. */
function isWeak(suite: string): boolean {
  if (!/AES|CAMELLIA|DES|RC4|NULL|CHACHA20/i.test(suite)) return false;
  const aead = /GCM|CHACHA20|CCM/i.test(suite);
  const forwardSecret = /DHE|^TLS_(AES|CHACHA20)/i.test(suite);
  return !aead || !forwardSecret;
}

function* certRequiredNoCa({ edge }: Judged): Iterable<Hit> {
  for (const { policy, usable, certRequired, caSecret } of edge.contexts.values()) {
    if (!policy || !usable || !certRequired || caSecret !== undefined) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} has cert_required and no ca_secret: any client certificate is taken`;
    yield { object, ...hostTraffic(policy), message };
  }
}

function* caOptional({ edge }: Judged): Iterable<Hit> {
  for (const [{ policy, caSecret, certRequired }, host] of terminators(edge)) {
    if (!policy || caSecret === undefined || certRequired) continue;
    const object = partyOf(policy);
    const other = host?.policy && host.policy !== policy ? partyOf(host.policy) : undefined;
    const message = `${describe(object)} checks client certificates against ${shown(caSecret)}, but requires none`;
    yield { object, ...(other && { other }), ...(host && { traffic: { host: host.hostname } }), message };
  }
}

function* contextNameClash({ edge }: Judged): Iterable<Hit> {
  const first = new Map<string, Policy>();
  let references: ReadonlyMap<string, Policy> | undefined;
  for (const policy of standing(edge, 'TLSContext')) {
    const before = first.get(policy.name);
    if (!before) first.set(policy.name, policy);
    if (!before || before.namespace === policy.namespace) continue;
    references ??= new Map(contextReferences(edge));
    const user = references.get(policy.name);
    if (!user) continue;
    const [object, other] = [partyOf(policy), partyOf(before)];
    const message = `${describe(object)} and ${describe(other)} have one name: ${describe(partyOf(user))}, which refers to it, gets the one of ${before.namespace}`;
    yield { object, other, otherMayChange: true, message };
  }
}

function* inertContext({ edge }: Judged): Iterable<Hit> {
  const used = new Set(edge.hosts.map(({ context }) => context?.policy));
  const references = new Map(contextReferences(edge));
  const tcpHosts = new Set([...policiesOf(edge, 'TCPMapping')].map(({ spec }) => textAt(spec, 'host')));
  for (const policy of standing(edge, 'TLSContext')) {
    const hosts = listAt(policy.spec, 'hosts');
    if (hosts.length === 0 || used.has(policy) || references.has(policy.storedName)) continue;
    if (hosts.some((host) => typeof host === 'string' && tcpHosts.has(host))) continue;
    const object = partyOf(policy);
    yield { object, message: `${describe(object)} is for ${shown(hosts)}, but no Host uses it: it terminates nothing` };
  }
}

function* noOpField({ edge }: Judged): Iterable<Hit> {
  let kept: { port: unknown; policy: Policy } | undefined;
  for (const { policy, fields } of writtenTls(edge)) {
    const port = valueAt(fields, 'redirect_cleartext_from') ?? undefined;
    if (port === undefined) continue;
    const conflicts = kept !== undefined && shown(kept.port) !== shown(port);
    yield conflicts && kept ? conflict(edge, policy, port, kept) : noOp(policy, 'redirect_cleartext_from');
    kept ??= { port, policy };
  }
  for (const policy of policiesOf(edge, 'Host')) {
    const insecure = valueAt(policy.spec, 'requestPolicy', 'insecure');
    if (valueAt(insecure, 'additionalPort') !== undefined) yield noOp(policy, 'requestPolicy.insecure.additionalPort');
    if (valueAt(policy.spec, 'previewUrl') !== undefined) yield noOp(policy, 'previewUrl');
  }
  for (const policy of policiesOf(edge, 'Module')) {
    const config = valueAt(policy.spec, 'config');
    if (valueAt(config, 'prune_unreachable_routes') !== undefined) yield noOp(policy, 'prune_unreachable_routes');
  }
}

function noOp(policy: Policy, field: string): Hit {
  const object = partyOf(policy);
  return { object, detail: field, message: `${describe(object)} sets ${field}, which has no effect` };
}

function conflict(edge: Edge, policy: Policy, port: unknown, kept: { port: unknown; policy: Policy }): Hit {
  const [object, other] = [partyOf(policy), partyOf(kept.policy)];
  const effect = dropOf(edge, policy) ? 'it is rejected' : 'its context is rejected';
  const message = `${describe(object)} has redirect_cleartext_from ${shown(port)}, ${describe(other)} has ${shown(kept.port)}: ${effect}`;
  return { object, other, detail: 'redirect_cleartext_from', severity: 'error', impact: 'drop', message };
}
