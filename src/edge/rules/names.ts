import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Policy } from '../model.ts';
import { describe, describeWithPlace, partyOf, requestsOf } from '../party.ts';
import { policiesThat } from './each.ts';

export const NAME_RULES: readonly Rule[] = [
  {
    id: 'EM019',
    name: 'dotted-name',
    severity: 'error',
    impact: 'drop',
    when: 'Two Mappings or TCPMappings of one namespace have names that are equal up to the first dot. A warning while they have different routes.',
    means:
      'Emissary cuts the name at the first dot and takes the two for one: of those with one route the second is dropped, without an error.',
    mend: 'Write a dash for the dot: `app-v1`, `app-v2`.',
    find: dottedName,
  },
  {
    id: 'EM020',
    name: 'duplicate-object',
    severity: 'error',
    impact: 'drop',
    when: 'Two objects have the same kind, namespace and name: from two sources, as resource and in an annotation, or twice in an annotation.',
    means: 'The last in the compiler’s order replaces the others.',
    mend: 'Rename or remove all but one.',
    find: duplicateObject,
  },
];

function* dottedName({ edge }: Judged): Iterable<Hit> {
  const swallowed = new Set<Policy>();
  for (const { policy, by, reason } of edge.drops) {
    if (reason !== 'swallowed' || !by) continue;
    swallowed.add(policy);
    const [object, other] = [partyOf(policy), partyOf(by)];
    yield {
      object,
      other,
      traffic: requestsOf(policy),
      message: `${describe(object)} is dropped: up to the first dot its name is that of ${describe(other)}`,
    };
  }
  for (const [first, ...others] of sharedBeginnings(edge)) {
    for (const policy of others) {
      if (swallowed.has(policy) || swallowed.has(first) || policy.name === first.name) continue;
      const [object, other] = [partyOf(policy), partyOf(first)];
      const message = `${describe(object)} and ${describe(other)} are one name up to the first dot; with the same route one would be dropped`;
      yield { object, other, severity: 'warning', message };
    }
  }
}

const KINDS = ['Mapping', 'TCPMapping'];
const withDots = policiesThat(KINDS, ({ name }) => name.includes('.'));

/** Mappings whose names are equal up to the first dot, where there is a dot at all. */
function sharedBeginnings(edge: Edge): [Policy, ...Policy[]][] {
  const dotted = new Map<string, Policy[]>();
  for (const policy of withDots(edge)) dotted.set(beginningOf(policy), []);
  if (dotted.size > 0) {
    for (const policy of edge.policies) if (KINDS.includes(policy.kind)) dotted.get(beginningOf(policy))?.push(policy);
  }
  return [...dotted.values()].filter((named): named is [Policy, ...Policy[]] => named.length > 1);
}

function beginningOf({ kind, namespace, name }: Policy): string {
  return `${kind}/${namespace}/${name.split('.', 1)[0]}`;
}

function* duplicateObject({ edge }: Judged): Iterable<Hit> {
  for (const { policy, by, reason } of edge.drops) {
    if (reason !== 'replaced' || !by) continue;
    const [object, other] = [partyOf(policy), partyOf(by)];
    const message = `${describeWithPlace(object)} is replaced by ${describeWithPlace(other)}`;
    yield { object, other, traffic: requestsOf(policy), message };
  }
}
