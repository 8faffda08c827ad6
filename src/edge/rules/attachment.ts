import type { Hit, Judged, Rule } from '../finding.ts';
import { matchOf } from '../match.ts';
import type { Edge, Host, Policy } from '../model.ts';
import { describe, partyOf, requestsOf } from '../party.ts';
import { SelectorIndex } from '../selector-index.ts';
import { isRecord, isTrueAt, recordAt, textAt, valueAt } from '../spec.ts';
import { inEach, policiesThat } from './each.ts';
import { KnownHosts } from './known-hosts.ts';

export const ATTACHMENT_RULES: readonly Rule[] = [
  {
    id: 'EM030',
    name: 'no-host',
    severity: 'error',
    impact: 'no-effect',
    when: 'A Mapping names no host, and no Host selects it by its labels.',
    means: 'It is never served, and its status says Running. In getambassador.io/v2 it would be served on every Host.',
    mend: 'Write `hostname` (`"*"` for every Host), or the labels of a Host’s mappingSelector.',
    find: noHost,
  },
  {
    id: 'EM031',
    name: 'no-matching-host',
    severity: 'error',
    impact: 'no-effect',
    when: 'A Mapping names a host that no Host covers: by glob, letter case, port or selector.',
    means: 'It is never served, and its status says Running.',
    mend: 'Write a Host for it, or the hostname and labels of one that exists.',
    find: noMatchingHost,
  },
  {
    id: 'EM032',
    name: 'glob-in-exact',
    severity: 'error',
    impact: 'drop',
    when: 'An exact host (`host` without host_regex, or the header `:authority`) contains `*`.',
    means: 'It could match nothing, so the Mapping is dropped.',
    mend: 'Write it as `hostname`, which is a glob.',
    find: inEach(['Mapping'], globInExact, ['host', 'headers']),
  },
  {
    id: 'EM033',
    name: 'bad-glob',
    severity: 'error',
    impact: 'no-effect',
    when: 'A hostname has a `*` in the middle or at both ends, or begins with a dot.',
    means: 'Such a glob matches nothing but itself.',
    mend: 'Write `*` alone, or at one end: `*.example.com`.',
    find: inEach(['Mapping', 'Host'], badGlob, ['hostname'], ({ spec }) => isBadGlob(textAt(spec, 'hostname') ?? '')),
  },
  {
    id: 'EM034',
    name: 'host-and-hostname',
    severity: 'warning',
    impact: 'no-effect',
    when: 'A Mapping has a hostname and also a host or the header `:authority`.',
    means: 'Only the hostname counts.',
    mend: 'Remove the other one.',
    find: inEach(['Mapping'], hostAndHostname, ['host', 'headers']),
  },
  {
    id: 'EM035',
    name: 'redirect-needs-hostname-host',
    severity: 'error',
    impact: 'no-effect',
    when: 'A redirect (host_redirect) fits only Hosts that select Mappings by labels.',
    means: 'Redirects carry no labels to Hosts, whatever is written: it is never served.',
    mend: 'Write a Host without a mappingSelector for its hostname.',
    find: redirectNeedsHost,
  },
  {
    id: 'EM036',
    name: 'expressions-selector',
    severity: 'error',
    impact: 'protection-lost',
    when: 'A selector of a Host or Listener has matchExpressions.',
    means: 'Only matchLabels are read. A Host with nothing else serves every Mapping; a Listener is refused.',
    mend: 'Write matchLabels.',
    find: inEach(['Host', 'Listener'], expressionsSelector, ['mappingSelector', 'selector', 'hostBinding']),
  },
  {
    id: 'EM040',
    name: 'prefix-no-slash',
    severity: 'error',
    impact: 'no-effect',
    when: 'A prefix that is no regular expression does not start with a slash.',
    means: 'Every path starts with one, so no request ever matches.',
    mend: 'Write the slash.',
    find: inEach(['Mapping'], prefixNoSlash, ['prefix'], ({ spec }) => !textAt(spec, 'prefix')?.startsWith('/')),
  },
  {
    id: 'EM041',
    name: 'reserved-prefix',
    severity: 'error',
    impact: 'steal',
    when: 'A Mapping has the prefix of one of Emissary’s own probes on every host. A warning for anything else below `/ambassador/v0/`, and for the path of ACME challenges.',
    means:
      'It shares the route of the probe, which then fails at times; the path of ACME challenges is served in clear text whatever the Host says.',
    mend: 'Choose another prefix.',
    find: reservedPrefix,
  },
  {
    id: 'EM042',
    name: 'id-mismatch',
    severity: 'warning',
    impact: 'no-effect',
    when: 'The ambassador_id of an object names no gateway: an empty list, or `_automatic_` beside others. Told on request when it names another gateway.',
    means:
      'This gateway does not look at the object. An empty list counts as none: the object is for the gateway `default`.',
    mend: 'Leave ambassador_id out, or list the id of the gateway.',
    find: idMismatch,
  },
];

/** The Mappings that no Host serves. */
function unserved(edge: Edge): Policy[] {
  const drops = edge.drops.filter(({ policy, reason }) => reason === 'unattached' && policy.kind === 'Mapping');
  return drops.map(({ policy }) => policy);
}

function* noHost({ edge }: Judged): Iterable<Hit> {
  const policies = unserved(edge);
  if (policies.length === 0) return;
  const selectors = selectorsOf(edge);
  for (const policy of policies) {
    if (matchOf(policy.spec)?.host !== undefined || selectingHost(policy, edge, selectors)) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} has no hostname, and no Host selects it by its labels: it is never served`;
    yield { object, traffic: requestsOf(policy), message };
  }
}

/** The Host that would serve a redirect without a hostname by its labels, if redirects had any. */
function selectingHost(policy: Policy, { hosts }: Edge, selectors: SelectorIndex): Host | undefined {
  const [first] = isRedirect(policy) ? selectors.matching(policy.labels) : [];
  return first === undefined ? undefined : hosts[first];
}

function selectorsOf({ hosts, settings }: Edge): SelectorIndex {
  return new SelectorIndex(
    hosts.map(({ selector }) => selector),
    settings.strictLabelSelectors,
  );
}

function* noMatchingHost({ edge }: Judged): Iterable<Hit> {
  const policies = unserved(edge);
  if (policies.length === 0) return;
  const hosts = new KnownHosts(edge.hosts);
  for (const policy of policies) {
    const host = matchOf(policy.spec)?.host;
    if (host === undefined || (isRedirect(policy) && hosts.fitting(host))) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} is for ${host}, which no Host serves${hosts.reason(host)}`;
    yield { object, traffic: requestsOf(policy), message };
  }
}

function* redirectNeedsHost({ edge }: Judged): Iterable<Hit> {
  const policies = unserved(edge);
  if (policies.length === 0) return;
  const hosts = new KnownHosts(edge.hosts);
  const selectors = selectorsOf(edge);
  for (const policy of policies) {
    const host = matchOf(policy.spec)?.host;
    if (!isRedirect(policy)) continue;
    const fitting = host === undefined ? selectingHost(policy, edge, selectors) : hosts.fitting(host);
    if (!fitting?.policy) continue;
    const [object, other] = [partyOf(policy), partyOf(fitting.policy)];
    const message = `${describe(object)} is a redirect, and ${describe(other)} takes Mappings by labels only: it is never served`;
    yield { object, other, traffic: requestsOf(policy), message };
  }
}

function isRedirect({ spec }: Policy): boolean {
  return isTrueAt(spec, 'host_redirect');
}

function* globInExact(policy: Policy): Iterable<Hit> {
  const problem = matchOf(policy.spec)?.problem;
  if (problem === undefined) return;
  const object = partyOf(policy);
  yield { object, traffic: requestsOf(policy), message: `${describe(object)} is dropped: ${problem}` };
}

function* badGlob(policy: Policy): Iterable<Hit> {
  const hostname = textAt(policy.spec, 'hostname');
  if (hostname === undefined) return;
  const object = partyOf(policy);
  const message = `${describe(object)}: the hostname ${hostname} matches nothing but itself`;
  yield { object, traffic: { host: hostname }, message };
}

function isBadGlob(hostname: string): boolean {
  if (hostname.startsWith('.')) return true;
  if (!hostname.includes('*')) return false;
  const inner = hostname.slice(1, -1);
  const bothEnds = hostname.length > 1 && hostname.startsWith('*') && hostname.endsWith('*');
  return inner.includes('*') || bothEnds;
}

function* hostAndHostname(policy: Policy): Iterable<Hit> {
  const { spec } = policy;
  const hostname = textAt(spec, 'hostname');
  const host = textAt(spec, 'host') || textAt(spec, 'headers', ':authority');
  if (!host || !hostname) return;
  const object = partyOf(policy);
  const message = `${describe(object)} is for host ${host} and for hostname ${hostname}: only the hostname counts`;
  yield { object, traffic: requestsOf(policy), message };
}

function* expressionsSelector(policy: Policy): Iterable<Hit> {
  const { kind, spec } = policy;
  const selectors = {
    mappingSelector: valueAt(spec, 'mappingSelector'),
    selector: valueAt(spec, 'selector'),
    'hostBinding.selector': valueAt(spec, 'hostBinding', 'selector'),
  };
  for (const [field, selector] of Object.entries(selectors)) {
    if (!isRecord(selector) || valueAt(selector, 'matchExpressions') === undefined) continue;
    const object = partyOf(policy);
    const labelled = Object.keys(recordAt(selector, 'matchLabels')).length > 0;
    const effect =
      kind === 'Listener'
        ? 'the Listener is refused'
        : labelled
          ? 'only its matchLabels count'
          : 'it selects every Mapping';
    const message = `${describe(object)}: ${field} has matchExpressions, which Emissary does not read: ${effect}`;
    yield { object, detail: field, ...(labelled && { severity: 'warning' as const }), message };
  }
}

function* prefixNoSlash(policy: Policy): Iterable<Hit> {
  const prefix = textAt(policy.spec, 'prefix');
  if (!prefix || prefix.startsWith('/') || isTrueAt(policy.spec, 'prefix_regex')) return;
  const object = partyOf(policy);
  yield {
    object,
    traffic: requestsOf(policy),
    message: `${describe(object)}: the prefix ${prefix} does not start with a slash`,
  };
}

const INTERNAL = '/ambassador/v0/';
const PROBES = [INTERNAL, `${INTERNAL}check_alive`, `${INTERNAL}check_ready`];
const ACME = '/.well-known/acme-challenge/';

/** What may be reserved: a Module can move the probes, so what is for every host is looked at in any case. */
const onReserved = policiesThat(['Mapping'], ({ spec }) => {
  const prefix = textAt(spec, 'prefix') ?? '';
  return prefix.startsWith(INTERNAL) || prefix === ACME || textAt(spec, 'hostname') === '*';
});

function* reservedPrefix({ edge }: Judged): Iterable<Hit> {
  const internal = edge.groups.filter((group) => group.internal).map(({ path }) => path.value);
  const probes = new Set([...PROBES, ...internal]);
  for (const policy of onReserved(edge)) {
    const prefix = textAt(policy.spec, 'prefix') ?? '';
    const everywhere = textAt(policy.spec, 'hostname') === '*' && probes.has(prefix);
    if (!everywhere && !prefix.startsWith(INTERNAL) && prefix !== ACME) continue;
    const object = partyOf(policy);
    const whose = prefix === ACME ? 'ACME challenges' : "Emissary's own probes and diagnostics";
    const message = `${describe(object)}: the prefix ${prefix} is that of ${whose}`;
    yield { object, traffic: requestsOf(policy), ...(!everywhere && { severity: 'warning' as const }), message };
  }
}

const withEmptyIds = policiesThat('every', ({ written }) => {
  const ids = recordAt(written, 'spec')['ambassador_id'];
  return Array.isArray(ids) && ids.length === 0;
});

function* idMismatch({ edge }: Judged): Iterable<Hit> {
  for (const policy of withEmptyIds(edge)) {
    const object = partyOf(policy);
    // Left out on the way to the compiler, see handed-over.ts.
    const message = `${describe(object)}: its ambassador_id is an empty list, which counts as none: it is for the gateway default`;
    yield { object, message };
  }
  for (const { policy, reason } of edge.drops) {
    if (reason !== 'not-ours') continue;
    const object = partyOf(policy);
    const ids = valueAt(policy.spec, 'ambassador_id');
    const list = Array.isArray(ids) ? (ids as unknown[]) : [ids];
    const broken = list.includes('_automatic_');
    const names = list.map((id) => (typeof id === 'string' ? id : 'something that is no text')).join(', ');
    const named = ids === undefined ? 'default, as it has none' : names;
    yield {
      object,
      ...(!broken && { severity: 'info' as const }),
      message: `${describe(object)}: its ambassador_id is ${named}, not ${edge.settings.ambassadorId}`,
    };
  }
}
