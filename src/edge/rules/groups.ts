import { isDeepStrictEqual } from 'node:util';
import { HostIndex, serves } from '../attachment.ts';
import type { Hit, Judged, Rule } from '../finding.ts';
import type { Policy, RouteGroup } from '../model.ts';
import { isCanaryOf, ownerAmong, policiesIn, shareOnPurpose } from '../owner.ts';
import { describe, describeWithPlace, partyOf, requestsOf, trafficOf } from '../party.ts';
import { ROUTE_GROUP_ANNOTATION } from '../../api/names.ts';
import { labelsMatch, selectsStrictly } from '../selector.ts';
import { valueAt } from '../spec.ts';
import { inEachGroup } from './each-group.ts';
import { flavourOf, rejections, sameRoute, type Misfit } from './rejections.ts';

export const GROUP_RULES: readonly Rule[] = [
  {
    id: 'EM010',
    name: 'route-collision',
    severity: 'error',
    impact: 'steal',
    when: 'Mappings of different owners have the same route.',
    means:
      'Emissary tells nobody and splits the requests between them: each owner gets requests of the other, and loses some of its own.',
    mend: `Give one of them another host, path or header. Where it is meant, name both namespaces (a, b) in the annotation ${ROUTE_GROUP_ANNOTATION} on both.`,
    find: inEachGroup('several', routeCollision),
  },
  {
    id: 'EM011',
    name: 'route-duplicate',
    severity: 'warning',
    impact: 'steal',
    when: 'Several Mappings of one owner have the same route and none has a weight.',
    means: 'Requests are split equally between them, which nobody has asked for.',
    mend: 'Remove one, or say with `weight` how the requests are to be split.',
    find: inEachGroup('several', routeDuplicate),
  },
  {
    id: 'EM012',
    name: 'member-rejected',
    severity: 'error',
    impact: 'drop',
    when: 'A Mapping differs from the first one of its route in an option in which all must agree.',
    means: 'It is dropped. Which one is the first depends on the names: rename one and the outcome is another.',
    mend: 'Write the option that the message names in all Mappings of the route alike.',
    find: ({ edge }) => rejected(edge, 'option'),
  },
  {
    id: 'EM013',
    name: 'flavour-mix',
    severity: 'error',
    impact: 'steal',
    when: 'Mappings of one route mean its text differently: as a prefix, as an exact path or as a regular expression.',
    means:
      'Emissary takes them for the same route. By the order of their names one is dropped, or both are read as the first one is.',
    mend: 'Mean it alike in all of them, or give them different texts.',
    find: function* (judged) {
      yield* rejected(judged.edge, 'flavour');
      yield* flavoursOfMembers(judged);
    },
  },
  {
    id: 'EM018',
    name: 'group-field-leak',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'Mappings of one route differ in a field that Emissary keeps for the route as a whole.',
    means:
      'The last Mapping that sets it sets it for all (headers: all get those of all), so a canary changes the stable one.',
    mend: 'Write the field in all Mappings of the route alike.',
    find: inEachGroup('several', fieldLeak),
  },
  {
    id: 'EM024',
    name: 'id-alias',
    severity: 'error',
    impact: 'drop',
    when: 'Two different routes read the same when prefix, headers, host and precedence are written one after the other.',
    means: 'Emissary tells routes apart by that text: it takes the two for one and drops or merges the second.',
    mend: 'Change the precedence or the prefix of one of them.',
    find: function* (judged) {
      yield* rejected(judged.edge, 'alias');
      yield* aliasesOfMembers(judged);
    },
  },
  {
    id: 'EM025',
    name: 'redirect-mix',
    severity: 'error',
    impact: 'drop',
    when: 'A route has two redirects, or a redirect beside Mappings that serve it.',
    means: 'The first by name wins and the others are dropped.',
    mend: 'Keep one redirect or the Mappings, or give them different paths.',
    find: ({ edge }) => rejected(edge, 'redirect'),
  },
  {
    id: 'EM026',
    name: 'shadow-shape',
    severity: 'error',
    impact: 'no-effect',
    when: "A route has two shadows, shadows only, or a shadow of somebody else's route.",
    means:
      "A second shadow is dropped, a shadow alone serves nothing, and a shadow beside another owner's Mapping gets copies of its requests.",
    mend: 'Keep one shadow beside a Mapping of the same owner.',
    find: function* (judged) {
      yield* rejected(judged.edge, 'shadow');
      yield* shadowsOfGroups(judged);
    },
  },
  {
    id: 'EM027',
    name: 'selector-bypass',
    severity: 'error',
    impact: 'protection-lost',
    when: "A Mapping without the labels of a Host's selector shares a route with one that has them.",
    means:
      'The labels of a route are those of all its Mappings, so the Host serves both: the selector keeps nobody out.',
    mend: 'Give the Mapping the labels, or another route.',
    find: selectorBypass,
  },
];

const REJECTED: Partial<Record<Misfit, (policy: Policy, by: Policy) => string>> = {
  flavour: (policy, by) => ` (${flavourOf(policy)}; the first one: ${flavourOf(by)})`,
  alias: () => ' (two routes, but written without separators they are one text)',
};

function* rejected(edge: Judged['edge'], misfit: Misfit): Iterable<Hit> {
  for (const { policy, by, drop } of rejections(edge, misfit)) {
    const [object, other] = [partyOf(policy), partyOf(by)];
    const message = `${describe(object)} is dropped: ${drop.message}${REJECTED[misfit]?.(policy, by) ?? ''}`;
    yield { object, other, impact: 'drop', traffic: requestsOf(policy), message };
  }
}

function* routeCollision(group: RouteGroup): Iterable<Hit> {
  const policies = policiesIn(group);
  const [first] = policies;
  if (!first || policies.length < 2 || group.shadows.length > 0) return;
  const told = new Set([ownerAmong(first, policies)]);
  for (const policy of policies) {
    const owner = ownerAmong(policy, policies);
    if (told.has(owner) || shareOnPurpose(policy, first)) continue;
    told.add(owner);
    const message = `${between(policy, first)} have the same route ${routeText(group)}: ${sharesText(group)}`;
    yield { object: partyOf(policy), other: partyOf(first), otherMayChange: true, traffic: trafficOf(group), message };
  }
}

function* routeDuplicate(group: RouteGroup): Iterable<Hit> {
  const policies = policiesIn(group);
  const [first] = policies;
  const last = policies.at(-1);
  if (!first || !last || group.members.length < 2 || group.members.some(({ weight }) => weight !== undefined)) return;
  if (new Set(policies.map((policy) => ownerAmong(policy, policies))).size > 1) return;
  const message = `${between(last, first)} have the same route ${routeText(group)} and no weight: ${sharesText(group)}`;
  yield { object: partyOf(last), other: partyOf(first), traffic: trafficOf(group), message };
}

const flavoursOfMembers = inEachGroup('several', function* (group) {
  const [first, ...others] = policiesIn(group);
  for (const policy of others) {
    const [mine, firsts] = [flavourOf(policy), flavourOf(first!)];
    if (mine === firsts) continue;
    const [object, other] = [partyOf(policy), partyOf(first!)];
    const message = `${describe(object)} is written as ${mine}, but read as ${firsts}, like ${describe(other)}`;
    yield { object, other, traffic: trafficOf(group), message };
  }
});

const aliasesOfMembers = inEachGroup('several', function* (group) {
  const [first, ...others] = policiesIn(group);
  for (const policy of others) {
    if (sameRoute(policy, first!)) continue;
    const [object, other] = [partyOf(policy), partyOf(first!)];
    yield { object, other, traffic: trafficOf(group), message: `${between(policy, first!)} are taken for one route` };
  }
});

/** Built into routes from the group, not from its members (v3/v3route.py). */
const GROUP_FIELDS = [
  'cors',
  'retry_policy',
  'regex_rewrite',
  'add_request_headers',
  'add_response_headers',
  'remove_request_headers',
  'remove_response_headers',
  'allow_upgrade',
  'priority',
  'labels',
];

function* fieldLeak(group: RouteGroup): Iterable<Hit> {
  const [first, ...others] = group.members.map(({ policy }) => policy);
  for (const policy of others) {
    const different = GROUP_FIELDS.filter(
      (field) => !isDeepStrictEqual(valueAt(policy.spec, field), valueAt(first!.spec, field)),
    );
    if (different.length === 0) continue;
    const message = `${between(policy, first!)} share the route ${routeText(group)}, so these fields reach both: ${different.join(', ')}`;
    const [object, other] = [partyOf(policy), partyOf(first!)];
    yield { object, other, traffic: trafficOf(group), detail: different.join(), message };
  }
}

const shadowsOfGroups = inEachGroup('shadow', function* (group) {
  const policies = policiesIn(group);
  const [beside] = group.members;
  for (const { policy } of group.shadows) {
    const object = partyOf(policy);
    const traffic = trafficOf(group);
    if (!beside) {
      yield {
        object,
        traffic,
        message: `${describe(object)} is the only Mapping of its route: nothing is served and nothing copied`,
      };
    } else if (
      ownerAmong(policy, policies) !== ownerAmong(beside.policy, policies) &&
      !shareOnPurpose(policy, beside.policy)
    ) {
      const other = partyOf(beside.policy);
      const message = `${describe(object)} gets copies of the requests of ${describe(other)}`;
      yield { object, other, traffic, impact: 'protection-lost', message };
    }
  }
});

function* selectorBypass({ edge }: Judged): Iterable<Hit> {
  const strict = selectsStrictly(edge.settings);
  const selecting = edge.hosts.filter(({ selector }) => selector !== undefined);
  if (selecting.length === 0) return;
  const hosts = new HostIndex(selecting, strict);
  for (const group of edge.groups) {
    if (group.members.length < 2) continue;
    const policies = group.members.map(({ policy }) => policy);
    for (const { host } of hosts.candidates(group)) {
      const selected = policies.filter(({ labels }) => labelsMatch(host.selector ?? {}, labels, strict));
      const [some] = selected;
      if (!some || selected.length === policies.length || !serves(host, group, strict)) continue;
      for (const policy of policies) {
        if (selected.includes(policy) || selected.some((base) => isCanaryOf(policy, base))) continue;
        const [object, other] = [partyOf(policy), partyOf(some)];
        const message = `${describe(object)} has not the labels that Host ${host.namespace}/${host.name} asks for, but is served there, because ${describe(other)} has the same route`;
        yield { object, other, traffic: trafficOf(group), detail: `${host.namespace}/${host.name}`, message };
      }
    }
  }
}

function between(a: Policy, b: Policy): string {
  return `${describeWithPlace(partyOf(a))} and ${describeWithPlace(partyOf(b))}`;
}

function routeText(group: RouteGroup): string {
  const { host = '*', path = '', methods = [] } = trafficOf(group);
  return [host, path, ...methods].join(' ');
}

function sharesText({ members, redirect }: RouteGroup): string {
  if (redirect) return 'it is a redirect';
  return members.map(({ policy, share }) => `${share} % goes to ${policy.namespace}/${policy.name}`).join(', ');
}
