import { bareHeaders } from './added-headers.ts';
import { aboutGroups } from './facts.ts';
import { raiseForLabels } from './module-types.ts';
import { compareWeights } from './route-order.ts';
import { isProbe } from './internal-mappings.ts';
import { defaultFor, type AmbassadorModule } from './module.ts';
import { headerMatches, queryMatches, type Match } from './match.ts';
import { isRecord, isTrueAt, listAt, numberAt, recordAt, valueAt } from './spec.ts';
import { sharesOf, weightsOf, type Weights } from './weights.ts';
import type { Cluster, Member, Policy, RouteGroup } from './model.ts';
import type { Clusters } from './clusters.ts';
import { Frozen, type Compilation } from './compilation.ts';
import type { GroupDraft } from './match-set.ts';
import type { ReadMapping } from './mapping.ts';

/**
 * The group as routes are made of it (`finalize` of ir/irhttpmappinggroup.py): clusters, weights, and what its members have
 * in common. A group of which nothing changed is the same object as in the run before.
 */
export function finishGroup(
  set: { readonly text: string; made: MadeGroup | undefined },
  draft: GroupDraft,
  clusters: Clusters,
  compilation: Compilation,
  module: AmbassadorModule,
): RouteGroup {
  checkLabels(draft, module, compilation);
  if (draft.shadow) postHealthChecks(draft.shadow, compilation);
  for (const member of draft.members) postHealthChecks(member, compilation);
  const mirror = draft.shadow && clusters.add(draft.shadow.upstream, draft.shadow.policy);
  const targets = draft.redirect ? NO_TARGETS : targetsOf(draft.members, clusters, set.made?.targets);
  const { made } = set;
  const weights = made?.draft === draft ? made.weights : weightsIn(draft);
  if (weights?.problem) postWeights(draft, weights.problem, compilation);
  if (made?.draft === draft && made.mirror === mirror && made.targets === targets && made.config === module.config) {
    return made.group;
  }
  const group = groupOf(set.text, draft, mirror, targets, weights, module);
  set.made = { draft, mirror, targets, weights, config: module.config, group };
  return group;
}

/** A group and all that it is made of. */
export interface MadeGroup {
  readonly draft: GroupDraft;
  readonly mirror: Cluster | undefined;
  readonly targets: readonly Cluster[];
  readonly weights: Weights | undefined;
  readonly config: AmbassadorModule['config'];
  readonly group: RouteGroup;
}

function postHealthChecks({ healthChecks }: ReadMapping, compilation: Compilation): void {
  if (!healthChecks) return;
  for (const { key, message } of healthChecks.errors) compilation.error(key, message);
  if (healthChecks.freeze) throw new Frozen(healthChecks.freeze);
}

const NO_TARGETS: readonly Cluster[] = [];
const NO_SHADOWS: RouteGroup['shadows'] = [];

/** The clusters of the members; `before` itself where they are the same. */
function targetsOf(
  members: readonly ReadMapping[],
  clusters: Clusters,
  before: readonly Cluster[] = NO_TARGETS,
): readonly Cluster[] {
  const [only] = members;
  if (only && members.length === 1) {
    const cluster = clusters.add(only.upstream, only.policy);
    return before.length === 1 && before[0] === cluster ? before : [cluster];
  }
  let targets: Cluster[] | undefined;
  for (const [at, { upstream, policy }] of members.entries()) {
    const cluster = clusters.add(upstream, policy);
    if (before[at] !== cluster) targets ??= before.slice(0, at);
    targets?.push(cluster);
  }
  return targets ?? (before.length === members.length ? before : before.slice(0, members.length));
}

/** A redirect has no shares. */
function weightsIn({ members, redirect }: GroupDraft): Weights | undefined {
  if (redirect) return undefined;
  return members.length === 1 ? ALONE : weightsOf(members.map(({ policy }) => numberAt(policy.spec, 'weight')));
}

function postWeights({ first }: GroupDraft, problem: Weights['problem'], compilation: Compilation): void {
  const over = 'Total weight of mappings exceeds 100, please reconfigure for correct behavior...';
  compilation.error(first.policy.key, problem === 'over-100' ? 'a Mapping has a weight above 100' : over);
  compilation.error(first.policy.key, 'Could not normalize mapping weights, ignoring...');
}

const ALONE = weightsOf([undefined]);

function membersOf(
  members: readonly ReadMapping[],
  targets: readonly Cluster[],
  { cumulative, order }: Weights,
): Member[] {
  const [only] = members;
  if (only && members.length === 1) {
    const { policy } = only;
    const weight = numberAt(policy.spec, 'weight');
    return [{ policy, weight, cumulative: 100, share: 100, cluster: targets[0] }];
  }
  const shares = sharesOf(cumulative);
  return order.flatMap((position, at) => {
    const policy = members[position]?.policy;
    if (!policy) return [];
    const [end = 0, share = 0] = [cumulative[at], shares[at]];
    return [{ policy, weight: numberAt(policy.spec, 'weight'), cumulative: end, share, cluster: targets[position] }];
  });
}

/** What all its routes have alike. Where members differ, the one that is tried first decides: it is looked at last. */
function groupOf(
  identity: string,
  { first, members, redirect, shadow, errored }: GroupDraft,
  mirror: Cluster | undefined,
  targets: readonly Cluster[],
  weights: Weights | undefined,
  module: AmbassadorModule,
): RouteGroup {
  const ordered = members.length < 2 ? members : members.toSorted((a, b) => compareWeights(weightOf(a), weightOf(b)));
  const last = ordered.at(-1);
  const regexHost = isTrueAt(lastWith(ordered, 'host_regex')?.policy.spec, 'host_regex');
  const match = matchOf(first);
  const { spec } = first.policy;
  return {
    identity,
    host: plainHost(last),
    hostGlob: plainHost(last) ?? plainHost(redirect),
    hostRegex: regexHost ? (last?.match?.host ?? '') : null,
    path: {
      match: isTrueAt(spec, 'prefix_regex') ? 'regex' : isTrueAt(spec, 'prefix_exact') ? 'path' : 'prefix',
      value: match.prefix,
    },
    precedence: matchOf(last ?? first).precedence,
    headers: headerMatches(match.headers),
    // Envoy gets those of the members: a redirect, which has none, looks at no parameter.
    query: last ? queryMatches(matchOf(last).query) : [],
    caseSensitive: valueAt((redirect ?? lastWith(ordered, 'case_sensitive'))?.policy.spec, 'case_sensitive') !== false,
    labels: unionOf(ordered),
    members: weights ? membersOf(members, targets, weights) : [],
    redirect: redirect?.policy,
    redirectHost: redirect?.service,
    shadows: shadow ? [{ policy: shadow.policy, cluster: mirror }] : NO_SHADOWS,
    requestHeadersAdded: headersAdded(ordered, 'add_request_headers', module),
    responseHeadersAdded: headersAdded(ordered, 'add_response_headers', module),
    unwritable: unwritableIn(ordered, module),
    // A Mapping that asks for the same comes first and makes the group its own: only some Hosts serve it then.
    internal: first.policy.kind === 'InternalMapping',
    isEverywhere: isProbe(first.policy.storedName),
    weight: heaviest(first, ordered),
    errored: errored || weights?.problem !== undefined,
    facts: aboutGroups.none(),
  };
}

function lastWith(mappings: readonly ReadMapping[], field: string): ReadMapping | undefined {
  return mappings.findLast(({ policy }) => Object.hasOwn(policy.spec, field));
}

function heaviest(first: ReadMapping, others: readonly ReadMapping[]): RouteGroup['weight'] {
  let most = weightOf(first);
  for (const other of others) if (compareWeights(weightOf(other), most) > 0) most = weightOf(other);
  return most;
}

function matchOf({ match }: ReadMapping): Match {
  if (!match) throw new Error('a Mapping without a prefix is in no group');
  return match;
}

function weightOf(mapping: ReadMapping): RouteGroup['weight'] {
  return matchOf(mapping).weight;
}

function plainHost(mapping: ReadMapping | undefined): string | null {
  const match = mapping?.match;
  return match && !match.hostRegex ? (match.host ?? null) : null;
}

function unionOf(members: readonly ReadMapping[]): Readonly<Record<string, string>> {
  const [only, ...more] = members;
  if (only && more.length === 0) return only.policy.labels;
  return Object.fromEntries(members.flatMap(({ policy }) => Object.entries(policy.labels)));
}

const ADDED_HEADERS = ['add_request_headers', 'add_response_headers'];

/** Of a header that several members add, the last one's is taken. Where the Module adds it for them, it is the Module's. */
function unwritableIn(members: readonly ReadMapping[], module: AmbassadorModule): Policy | undefined {
  for (const field of ADDED_HEADERS) {
    const bareOf = new Map<string, Policy>();
    for (const { policy } of members) {
      const added = addedBy(policy, field, module);
      if (!isRecord(added)) continue;
      for (const name of Object.keys(added)) bareOf.delete(name);
      const written = Object.hasOwn(policy.spec, field) ? policy : (module.policy ?? policy);
      for (const name of bareHeaders(added)) bareOf.set(name, written);
    }
    for (const policy of bareOf.values()) return policy;
  }
  return undefined;
}

function addedBy({ spec }: Policy, field: string, module: AmbassadorModule): unknown {
  return Object.hasOwn(spec, field) ? spec[field] : defaultFor(module, field);
}

const NO_HEADERS: readonly string[] = [];

function headersAdded(members: readonly ReadMapping[], field: string, module: AmbassadorModule): readonly string[] {
  let names: Set<string> | undefined;
  for (const { policy } of members) {
    const own = addedBy(policy, field, module);
    const linkerd = field === 'add_request_headers' && addsLinkerd(policy.spec, module);
    if (own === undefined && !linkerd) continue;
    names ??= new Set();
    for (const name of Object.keys(isRecord(own) ? own : {})) names.add(name);
    if (linkerd) names.add('l5d-dst-override');
  }
  return names ? [...names] : NO_HEADERS;
}

function addsLinkerd(spec: ReadMapping['policy']['spec'], { config }: AmbassadorModule): boolean {
  return isTrueAt(Object.hasOwn(spec, 'add_linkerd_headers') ? spec : config, 'add_linkerd_headers');
}

/** Rate limit labels are completed by the Module's defaults, which needs one key in each of them (`finalize`). */
function checkLabels({ first }: GroupDraft, module: AmbassadorModule, compilation: Compilation): void {
  const { config } = module;
  if (!Object.hasOwn(config, 'default_labels')) return;
  raiseForLabels(module);
  const labels = recordAt(first.policy.spec, 'labels');
  for (const domain of Object.keys(labels)) {
    if (listAt(config, 'default_labels', domain, 'defaults').length === 0) continue;
    for (const label of listAt(labels, domain)) {
      if (isRecord(label) && Object.keys(label).length > 1) {
        compilation.error(first.policy.key, 'label has multiple entries instead of just one');
      }
    }
  }
}
