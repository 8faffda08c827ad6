import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Host, Listener, Policy } from '../model.ts';
import { dropOf, standing } from '../dropped.ts';
import { describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { listAt, recordAt, textAt } from '../spec.ts';
import { NO_CERTIFICATE_NAME } from '../clusters.ts';
import { contextOf, implicitContextName, secretsOf, takesImplicit, writtenTls } from '../tls-written.ts';
import { twinsOf } from './twins.ts';

export const TLS_HOST_RULES: readonly Rule[] = [
  {
    id: 'EM060',
    name: 'host-secret',
    severity: 'error',
    impact: 'protection-lost',
    when: 'The `tlsSecret` of a Host is no Secret with a certificate and its key: missing, of another type, or without one of them, and nothing known will produce it.',
    means:
      'Emissary drops the Host without an error, or serves it in plain text when only the key is missing. When no other Host is left, an invented one for `*` routes everything in plain text, without a redirect.',
    mend: 'Add the Secret, or the Certificate or ExternalSecret that produces it, before the Host.',
    find: hostSecret,
  },
  {
    id: 'EM061',
    name: 'tls-without-secret',
    severity: 'error',
    impact: 'protection-lost',
    when: 'A Host has `tls` or `tlsContext` and no `tlsSecret.name`.',
    means: 'Without the name of a secret Emissary looks at neither: the Host serves plain text, and nothing says so.',
    mend: 'Set `tlsSecret.name`; with a TLSContext, to the same secret.',
    find: tlsWithoutSecret,
  },
  {
    id: 'EM062',
    name: 'tls-and-context',
    severity: 'error',
    impact: 'drop',
    when: 'A Host has both `tls` and `tlsContext`.',
    means: 'Emissary drops the Host: its name is served by a less specific Host, or not at all.',
    mend: 'Keep one of the two.',
    find: tlsAndContext,
  },
  {
    id: 'EM063',
    name: 'context-link',
    severity: 'error',
    impact: 'drop',
    when: 'The TLSContext that a Host uses does not exist, has another secret than the Host, or is of a namespace that has no such secret; a Host names a certificate file beside its secret; or `hosts` of the TLSContext lack the Host’s hostname.',
    means:
      'Emissary drops the Host. A context that finds no certificate in its own namespace takes TLS from the Host; one with other `hosts` is used all the same, with an error.',
    mend: 'Give the TLSContext the Host’s secret, or none, and the Host’s hostname, or no hosts.',
    find: contextLink,
  },
  {
    id: 'EM070',
    name: 'implicit-context-hijack',
    severity: 'error',
    impact: 'protection-lost',
    when: 'A TLSContext is called `<name of a Host>-context`, is of another namespace, and that Host has a secret and neither `tls` nor `tlsContext`; or it is called `no-cert-upstream` and is not of the gateway’s own namespace.',
    means:
      'The Host takes the TLSContext because of its name alone: its certificate and its TLS versions come from there, and without that secret it loses TLS or is dropped. As `no-cert-upstream` it holds for everybody’s `https://` services that name no TLSContext: they get its certificate and its `sni`, and with a `ca_secret` they are checked against that and fail.',
    mend: 'Name the TLSContext otherwise; or let the Host say `tls` or `tlsContext` itself.',
    find: takenByName,
  },
  {
    id: 'EM072',
    name: 'hostname-claimed-twice',
    severity: 'error',
    impact: 'steal',
    when: 'Two Hosts have the same hostname and one Listener takes both.',
    means:
      'In plain text the last one replaces the routes and the redirect of the first; over TLS the first keeps the name, and the second is discarded there unless both have one TLS context.',
    mend: 'Keep one Host for each hostname and Listener.',
    find: hostnameTwice,
  },
  {
    id: 'EM073',
    name: 'cleartext-allowed',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'A Host with a certificate routes insecure requests; or a Listener for HTTP with securityModel SECURE has no TLS, or takes a Host without TLS.',
    means:
      'Plain text is routed to the services. SECURE means that every request counts as secure, however it arrived: nothing is redirected.',
    mend: 'Let the Host redirect; use securityModel XFP unless something in front of the Listener ends TLS.',
    find: cleartextAllowed,
  },
];

function* hostSecret({ edge, input }: Judged): Iterable<Hit> {
  const secrets = secretsOf(input);
  const onlyInvented = edge.hosts.length > 0 && edge.hosts.every(({ policy }) => policy === undefined);
  for (const policy of standing(edge, 'Host')) {
    const name = textAt(policy.spec, 'tlsSecret', 'name');
    if (!name) continue;
    const namespace = textAt(policy.spec, 'tlsSecret', 'namespace') || policy.namespace;
    const found = secrets.find(name, namespace, policy);
    if (found?.certificate && found.privateKey) continue;
    const object = partyOf(policy);
    const problem = !found
      ? 'is no Secret with a certificate'
      : found.certificate
        ? 'has no key'
        : 'has no certificate';
    const effect = found
      ? 'the Host loses TLS'
      : onlyInvented
        ? `the Host is dropped, and as no other Host is valid ${inventedHost(edge)} serves everything`
        : 'the Host is dropped';
    const message = `${describe(object)} has tlsSecret ${shown(`${namespace}/${name}`)}, which ${problem}: ${effect}`;
    yield { object, traffic: { host: hostnameOf(policy) }, message };
  }
}

function inventedHost(edge: Edge): string {
  const encrypted = edge.hosts.some((host) => servesTls(host));
  return encrypted ? 'an invented one with the fallback certificate' : 'an invented one without TLS';
}

function servesTls({ context }: Host): boolean {
  return context !== undefined;
}

function hostnameOf({ spec }: Policy): string {
  return textAt(spec, 'hostname') || '*';
}

function* tlsWithoutSecret({ edge }: Judged): Iterable<Hit> {
  for (const policy of standing(edge, 'Host')) {
    if (textAt(policy.spec, 'tlsSecret', 'name')) continue;
    const fields = tlsFields(policy);
    if (fields.length === 0) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} has ${fields.join(' and ')}, but no tlsSecret.name: it serves plain text`;
    yield { object, traffic: { host: hostnameOf(policy) }, message };
  }
}

function tlsFields({ spec }: Policy): string[] {
  const inline = Object.keys(recordAt(spec, 'tls')).length > 0;
  return [...(inline ? ['tls'] : []), ...(textAt(spec, 'tlsContext', 'name') ? ['tlsContext'] : [])];
}

function* tlsAndContext({ edge }: Judged): Iterable<Hit> {
  for (const policy of standing(edge, 'Host')) {
    if (tlsFields(policy).length < 2) continue;
    const object = partyOf(policy);
    const effect = dropOf(edge, policy) ? 'it is dropped' : 'it is dropped as soon as it has a secret';
    const message = `${describe(object)} has both tls and tlsContext: ${effect}`;
    yield { object, traffic: { host: hostnameOf(policy) }, message };
  }
}

function* contextLink(judged: Judged): Iterable<Hit> {
  const { edge } = judged;
  const contexts = new Map([...standing(edge, 'TLSContext')].map((policy) => [policy.storedName, policy]));
  for (const { policy, fields } of writtenTls(edge)) {
    if (policy.kind !== 'Host' || fields['cert_chain_file'] === undefined || !dropOf(edge, policy)) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} has a tlsSecret and tls.cert_chain_file: the Host is dropped`;
    yield { object, traffic: { host: hostnameOf(policy) }, detail: 'cert_chain_file', message };
  }
  for (const policy of standing(edge, 'Host')) {
    const name = contextOf(policy);
    const context = name === undefined ? undefined : contexts.get(name);
    if (name === undefined || (!context && takesImplicit(policy))) continue;
    const hit = linkHit(judged, policy, name, context);
    if (hit) yield hit;
  }
}

function linkHit({ edge, input }: Judged, host: Policy, name: string, context: Policy | undefined): Hit | undefined {
  const object = partyOf(host);
  const traffic = { host: hostnameOf(host) };
  if (!context) {
    return {
      object,
      traffic,
      detail: name,
      message: `${describe(object)} has tlsContext ${shown(name)}, which does not exist`,
    };
  }
  const other = partyOf(context);
  const own = textAt(host.spec, 'tlsSecret', 'name') ?? '';
  const namespace = textAt(host.spec, 'tlsSecret', 'namespace') || host.namespace;
  if (!secretsOf(input).find(own, namespace, host)) return undefined;
  const secret = textAt(context.spec, 'secret');
  // The compiler looks for the context's secret, name as written, in the Host's namespace (ir/irhost.py, save_context).
  if (secret && (secret !== own || host.namespace !== namespace)) {
    const message = `${describe(object)} has the secret ${shown(`${namespace}/${own}`)}, ${describe(other)} that it uses has ${shown(secret)}: the Host is dropped`;
    return { object, other, traffic, message };
  }
  if (dropOf(edge, host) && dropOf(edge, context)) {
    const message = `${describe(object)} uses ${describe(other)}, which Emissary rejects: the Host is dropped`;
    return { object, other, traffic, message };
  }
  const served = edge.hosts.find(({ policy }) => policy === host);
  const isOfAnother = context.namespace !== host.namespace;
  if (served && !servesTls(served) && isOfAnother && !takesImplicit(host)) {
    const message = `${describe(object)} uses ${describe(other)}, which finds no certificate in its own namespace: the Host loses TLS`;
    return { object, other, traffic, message, impact: 'protection-lost' };
  }
  const hosts = listAt(context.spec, 'hosts');
  if (hosts.length === 0 || hosts.includes(hostnameOf(host)) || hosts.includes(host.storedName)) return undefined;
  const message = `${describe(object)} is for ${shown(hostnameOf(host))}, ${describe(other)} that it uses is for ${shown(hosts)}`;
  return { object, other, traffic, message, severity: 'warning', impact: 'no-effect' };
}

function* takenByName(judged: Judged): Iterable<Hit> {
  yield* implicitContext(judged);
  yield* upstreamContext(judged);
}

/** Also where nobody uses it yet: else whoever is the first to write `https://` would be stopped by it. */
function* upstreamContext({ edge }: Judged): Iterable<Hit> {
  const policy = edge.contexts.get(NO_CERTIFICATE_NAME)?.policy;
  if (!policy || policy.namespace === edge.settings.namespace) return;
  const object = partyOf(policy);
  const message = `${describe(object)} has the name of the TLS settings of all \`https://\` services that name none`;
  yield { object, detail: 'upstream', message };
}

function* implicitContext({ edge }: Judged): Iterable<Hit> {
  const contexts = new Map([...standing(edge, 'TLSContext')].map((policy) => [policy.storedName, policy]));
  for (const policy of standing(edge, 'Host')) {
    const context = takesImplicit(policy) ? contexts.get(implicitContextName(policy)) : undefined;
    if (!context || context.namespace === policy.namespace) continue;
    const [object, other] = [partyOf(context), partyOf(policy)];
    const taken = edge.hosts.find((host) => host.policy === policy);
    const effect = !taken
      ? 'the Host is dropped'
      : servesTls(taken)
        ? 'the Host has its certificate and TLS versions from there'
        : 'the Host loses TLS';
    const message = `${describe(object)} has the name that ${describe(other)} takes its TLS settings from: ${effect}`;
    yield { object, other, traffic: { host: hostnameOf(policy) }, message };
  }
}

function* hostnameTwice({ edge }: Judged): Iterable<Hit> {
  for (const { listener, before, host } of twinsOf(edge, ({ hostname }) => hostname))
    if (before.policy && host.policy) yield twiceHit(listener, before, before.policy, host, host.policy);
}

function twiceHit({ port }: Listener, before: Host, first: Policy, host: Host, second: Policy): Hit {
  const [object, other] = [partyOf(second), partyOf(first)];
  const effect =
    servesTls(before) && servesTls(host) && before.context?.name !== host.context?.name
      ? `over TLS ${describe(other)} keeps it, in plain text ${describe(object)} takes it`
      : `${describe(object)} replaces the routes of ${describe(other)}`;
  const message = `${describe(object)} and ${describe(other)} both claim ${shown(host.hostname)} on port ${port}: ${effect}`;
  return { object, other, otherMayChange: true, traffic: { host: host.hostname }, detail: host.hostname, message };
}

function* cleartextAllowed({ edge }: Judged): Iterable<Hit> {
  for (const host of edge.hosts) {
    if (!host.policy || host.insecureAction !== 'Route' || !servesTls(host)) continue;
    const object = partyOf(host.policy);
    const message = `${describe(object)} has a certificate and routes insecure requests too (requestPolicy.insecure.action Route)`;
    yield { object, traffic: { host: host.hostname }, message };
  }
  for (const { policy, securityModel, protocolStack, hosts, port } of edge.listeners) {
    // It decides about requests: connections of TCP go where they go.
    if (!policy || securityModel !== 'SECURE' || !protocolStack.includes('HTTP')) continue;
    const object = partyOf(policy);
    if (!protocolStack.includes('TLS')) {
      const message = `${describe(object)} on port ${port} has no TLS and securityModel SECURE: plain text counts as secure`;
      yield { object, message };
      continue;
    }
    for (const host of hosts) {
      if (servesTls(host)) continue;
      const other = host.policy && partyOf(host.policy);
      const message = `${describe(object)} on port ${port} has securityModel SECURE and takes ${other ? describe(other) : 'a Host'} without TLS: plain text counts as secure`;
      yield { object, ...(other && { other }), traffic: { host: host.hostname }, message };
    }
  }
}
