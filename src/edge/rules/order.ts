import { serves } from '../attachment.ts';
import { covers, hostCovers, pathCovers, witnessPath } from '../containment.ts';
import type { Hit, Judged, Rule } from '../finding.ts';
import { Grants } from '../grants.ts';
import { Meetings } from '../meetings.ts';
import type { Edge, Policy, RouteGroup } from '../model.ts';
import { overlapsOf } from '../overlaps.ts';
import { ownersOf, policiesIn, shareOnPurpose } from '../owner.ts';
import { describe, partyOf, requestsOf, trafficOf } from '../party.ts';
import { isTrueAt, textAt } from '../spec.ts';
import { inEach } from './each.ts';

export const ORDER_RULES: readonly Rule[] = [
  {
    id: 'EM021',
    name: 'precedence-dup',
    severity: 'error',
    impact: 'steal',
    when: 'Two routes ask for the same requests and differ in precedence only.',
    means: 'The one with the higher precedence gets all of them, the other one is never reached.',
    mend: 'Remove one, or let them ask for different requests.',
    find: ({ edge }) => shadowed(edge, 'same'),
  },
  {
    id: 'EM022',
    name: 'shadowed',
    severity: 'error',
    impact: 'steal',
    when: 'A route is tried after another one that takes all of its requests, on every Host that serves it.',
    means:
      'It is never reached. Routes are tried by precedence, then by the length of the prefix as text (also of a regular expression), then of the header matches.',
    mend: 'Narrow the other route, or give this one a higher precedence.',
    find: ({ edge }) => shadowed(edge, 'wider'),
  },
  {
    id: 'EM023',
    name: 'carve-out',
    severity: 'warning',
    impact: 'steal',
    when: "A route takes a part of the requests of another owner's route, because it is tried first. An error when it takes them from narrower hosts than its own without a grant for its hosts; told on request when the other one is a catch-all. Of more than eight owners around a route the nearest are told.",
    means: 'Part of the requests of one team go to another team.',
    mend: 'Write the host that is meant instead of a glob, choose another prefix, or let an EdgePolicy grant the host.',
    find: carveOuts,
  },
  {
    id: 'EM028',
    name: 'hostregex-everywhere',
    severity: 'warning',
    impact: 'steal',
    when: 'A Mapping has host_regex.',
    means: 'It attaches to every Host, and is tried before shorter host names, exact ones included.',
    mend: 'Write `hostname`, with a `*` at one end if need be.',
    find: inEach(['Mapping'], hostRegex, ['host_regex']),
  },
];

/** Is the first served wherever the later one is? */
function serveTogether({ settings }: Edge, meetings: Meetings, first: RouteGroup, later: RouteGroup): boolean {
  const serving = [...meetings.servingOf(later)];
  return serving.length > 0 && serving.every((host) => serves(host, first, settings.strictLabelSelectors));
}

function* shadowed(edge: Edge, wanted: 'same' | 'wider'): Iterable<Hit> {
  const meetings = new Meetings(edge);
  for (const { first, later } of overlapsOf(edge).covered) {
    const same = first.precedence !== later.precedence && covers(later, first) ? 'same' : 'wider';
    const [policy, by] = [policiesIn(later)[0], policiesIn(first)[0]];
    if (same !== wanted || !policy || !by || !serveTogether(edge, meetings, first, later)) continue;
    const [object, other] = [partyOf(policy), partyOf(by)];
    const message = `${describe(object)} (${routeText(later)}) is never reached: ${describe(other)} (${routeText(first)}) is tried first and takes all of its requests`;
    yield { object, other, otherMayChange: true, traffic: trafficOf(later), message };
  }
}

function* carveOuts({ edge, guard }: Judged): Iterable<Hit> {
  const grants = new Grants(guard);
  for (const { first, later } of overlapsOf(edge).carved) {
    const [policy, from] = [policiesIn(first)[0], policiesIn(later)[0]];
    if (!policy || !from || shareOnPurpose(policy, from)) continue;
    const [object, other] = [partyOf(policy), partyOf(from)];
    const path = pathCovers(later, first) ? undefined : witnessPath(first, later);
    const what = path === undefined ? 'a part' : `at least ${path}`;
    const message = `${describe(object)} (${routeText(first)}) is tried before ${describe(other)} (${routeText(later)}) and takes ${what} of its requests`;
    const severity = severityOf(first, later, policy, grants);
    const traffic = { ...trafficOf(later), path: path ?? first.path.value };
    yield { object, other, otherMayChange: true, detail: [...ownersOf(later)].join(), severity, traffic, message };
  }
}

function severityOf(
  first: RouteGroup,
  later: RouteGroup,
  { namespace }: Policy,
  grants: Grants,
): Hit['severity'] & string {
  if (!hostCovers(later, first)) {
    const claim = { host: first.hostRegex === null ? (first.hostGlob ?? '*') : undefined, prefix: first.path.value };
    return grants.allow(namespace, claim) ? 'warning' : 'error';
  }
  return later.path.match === 'prefix' && later.path.value.length <= 1 ? 'info' : 'warning';
}

function routeText(group: RouteGroup): string {
  const { host = '*', methods = [] } = trafficOf(group);
  const precedence = group.precedence === 0 ? [] : [`precedence ${group.precedence}`];
  return [host, ...(group.path.match === 'regex' ? ['regex'] : []), group.path.value, ...methods, ...precedence].join(
    ' ',
  );
}

function* hostRegex(policy: Policy): Iterable<Hit> {
  const host = textAt(policy.spec, 'host');
  if (!host || !isTrueAt(policy.spec, 'host_regex') || textAt(policy.spec, 'hostname') !== undefined) return;
  const object = partyOf(policy);
  yield {
    object,
    traffic: requestsOf(policy),
    message: `${describe(object)}: the regular expression ${host} is tried on every Host`,
  };
}
