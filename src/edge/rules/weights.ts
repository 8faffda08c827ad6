import type { Hit, Rule } from '../finding.ts';
import type { Member, RouteGroup, TcpGroup } from '../model.ts';
import { describe, partyOf, trafficOf } from '../party.ts';
import { inEachGroup } from './each-group.ts';

const SUM = 'Let the weights add up to 100, or leave one Mapping without a weight: it takes what is left.';

export const WEIGHT_RULES: readonly Rule[] = [
  {
    id: 'EM014',
    name: 'weight-over-100',
    severity: 'error',
    impact: 'outage',
    when: 'One of several Mappings of a route has a weight above 100.',
    means: 'Emissary gives up on all weights of the route: every Mapping gets 0 %, the route is down.',
    mend: SUM,
    find: function* (judged) {
      yield* inHttp(judged);
      for (const group of judged.edge.tcpGroups) yield* weightOver(group);
    },
  },
  {
    id: 'EM015',
    name: 'weight-sum-over',
    severity: 'error',
    impact: 'steal',
    when: 'The weights of the Mappings of a route add up to more than 100.',
    means:
      'Shares are handed out in order until 100 is reached: the last Mappings get less than is written, or nothing.',
    mend: SUM,
    find: inEachGroup('several', weightSumOver),
  },
  {
    id: 'EM016',
    name: 'weight-leak',
    severity: 'error',
    impact: 'steal',
    when: 'Every Mapping of a route has a weight and together they are below 100.',
    means: 'What is left falls through to the next route that matches, perhaps of another team, or to 404.',
    mend: SUM,
    find: inEachGroup('several', weightLeak),
  },
  {
    id: 'EM017',
    name: 'lone-weight',
    severity: 'warning',
    impact: 'steal',
    when: 'The only Mapping of a route has a weight other than 100.',
    means:
      'Up to Emissary 4.1 it gets everything, even at weight 0; later versions honour the weight and lose the rest. Often the stable Mapping was deleted before its canary.',
    mend: 'Leave the weight out, or bring back the Mapping that it shares the route with.',
    find: inEachGroup('weighted', loneWeight),
  },
];

const inHttp = inEachGroup('several', weightOver);

function* weightOver(group: RouteGroup | TcpGroup): Iterable<Hit> {
  if (group.members.length < 2) return;
  const over = group.members.find(({ weight }) => weight !== undefined && weight > 100);
  if (over)
    yield hit(group, over, `weight ${over.weight} is above 100, so all ${group.members.length} Mappings get nothing`);
}

function* weightSumOver(group: RouteGroup): Iterable<Hit> {
  const written = weightsOf(group);
  if (group.members.length < 2 || written.some((weight) => weight > 100)) return;
  const shares = group.members.map(({ policy, share }) => `${policy.namespace}/${policy.name} ${share} %`).join(', ');
  const last = group.members.findLast(({ weight }) => weight !== undefined);
  const left = group.members.find(({ weight, share }) => weight === undefined && share <= 0);
  if (last && sum(written) > 100) {
    yield hit(group, last, `the weights ${written.join(' + ')} are more than 100; requests go ${shares}`);
  } else if (left && sum(written) < 100) {
    yield { ...hit(group, left, `rounding leaves it nothing; requests go ${shares}`), severity: 'warning' };
  }
}

function* weightLeak(group: RouteGroup): Iterable<Hit> {
  const written = weightsOf(group);
  const last = group.members.at(-1);
  if (!last || written.length < 2 || written.length < group.members.length || sum(written) >= 100) return;
  const left = 100 - sum(written);
  yield hit(
    group,
    last,
    `the weights ${written.join(' + ')} leave ${left} % of the requests to the next route that matches, or to 404`,
  );
}

function* loneWeight(group: RouteGroup): Iterable<Hit> {
  const [member, ...others] = group.members;
  if (!member || others.length > 0 || member.weight === undefined || member.weight === 100) return;
  yield hit(group, member, `weight ${member.weight}, but no other Mapping shares the route: it gets everything`);
}

function weightsOf({ members }: RouteGroup): number[] {
  return members.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function hit(group: RouteGroup | TcpGroup, { policy }: Member, message: string): Hit {
  const object = partyOf(policy);
  const beside = group.members.find((member) => member.policy !== policy)?.policy;
  const traffic = 'path' in group ? trafficOf(group) : group.host === null ? {} : { host: group.host };
  return { object, ...(beside && { other: partyOf(beside) }), traffic, message: `${describe(object)}: ${message}` };
}
