import { NONE } from '../none.ts';
import type { Finding, Party, Traffic } from './finding.ts';
import type { DropReason, Edge, Member, Policy, RouteGroup, TcpGroup } from './model.ts';
import { ownerAmong } from './owner.ts';
import { describeWithPlace, partyOf, trafficOf } from './party.ts';
import { Relisted } from './relisted.ts';
import { shownSentence } from './shown.ts';

/** What an object does not get of what it asks for. Plain data. */
export interface Setback {
  readonly object: Party;
  /**
   * Dropped: the compiler leaves it out. Unserved: valid, but nothing leads to it. Shadowed: another route takes all its
   * requests. Split: it shares its route, by weight, with objects of others.
   */
  readonly state: 'Dropped' | 'Unserved' | 'Shadowed' | 'Split';
  /** Why, or with whom; bounded. */
  readonly message: string;
}

export interface Setbacks {
  readonly count: number;
  /** The first ones: in the order of their states above, then as the compiler came upon them. */
  readonly first: readonly Setback[];
}

/** Rules whose finding says that no request can reach the object, because the other party takes all of them. */
export const SHADOWING: ReadonlySet<string> = new Set(['EM021', 'EM022']);

/** Of other parties no more are named. */
const MAX_NAMED = 3;

/**
 * What does not go as declared, by source: of each the number and the first `limit`. Reads what was said while the edge was
 * computed and judged, so it costs next to nothing: what is served as declared is not looked at. `findings` are those of the
 * same edge.
 */
export function setbacksOf(edge: Edge, findings: readonly Finding[], limit: number): ReadonlyMap<string, Setbacks> {
  const bySource = new Map<string, { count: number; first: Setback[] }>();
  for (const { object, state, say } of eachSetback(edge, findings)) {
    const { source } = object.origin;
    if (source === undefined) continue;
    const known = bySource.get(source) ?? { count: 0, first: [] };
    known.count += 1;
    if (known.first.length < limit) known.first.push({ object, state, message: shownSentence(say()) });
    bySource.set(source, known);
  }
  return bySource;
}

/** Worded only when it is among the first ones. */
type Unsaid = Pick<Setback, 'object' | 'state'> & { readonly say: () => string };

function* eachSetback(edge: Edge, findings: readonly Finding[]): Iterable<Unsaid> {
  yield* dropped(edge, (reason) => reason !== 'unattached' && reason !== 'not-ours', 'Dropped');
  yield* dropped(edge, (reason) => reason === 'unattached', 'Unserved');
  for (const { rule, object, other, traffic } of findings) {
    if (!other || !SHADOWING.has(rule)) continue;
    yield { object, state: 'Shadowed', say: () => `${describeWithPlace(other)} takes all of ${sayRequests(traffic)}` };
  }
  yield* splitRoutes(edge.settings).flatMap(edge.groups, splitRoute);
  for (const group of edge.tcpGroups.filter(isShared)) {
    yield* split(group, () => ({ host: group.host ?? '*', path: `:${group.port}` }));
  }
}

/** An object that is dropped for several reasons is told once, with the first. */
function* dropped(
  { drops }: Edge,
  isMeant: (reason: DropReason) => boolean,
  state: Setback['state'],
): Iterable<Unsaid> {
  const told = new Set<Policy>();
  for (const { policy, reason, message, by } of drops) {
    if (!isMeant(reason) || told.has(policy)) continue;
    told.add(policy);
    yield {
      object: partyOf(policy),
      state,
      say: () => (by ? `${message}: ${describeWithPlace(partyOf(by))}` : message),
    };
  }
}

const splitRoutes = Relisted.bySettings<RouteGroup, Unsaid>();

function splitRoute(group: RouteGroup): readonly Unsaid[] {
  return isShared(group) ? [...split(group, () => trafficOf(group))] : NONE;
}

function isShared({ members }: RouteGroup | TcpGroup): boolean {
  return members.length > 1;
}

/** Who shares a route with others; what one owner shares out among his own is his business. */
function* split({ members }: RouteGroup | TcpGroup, traffic: () => Traffic): Iterable<Unsaid> {
  const policies = members.map(({ policy }) => policy);
  const byOwner = Map.groupBy(members, ({ policy }) => ownerAmong(policy, policies));
  if (byOwner.size < 2) return;
  for (const [, own] of byOwner) {
    let others: string | undefined;
    const sayRest = () => (others ??= sayOthers(members, new Set(own)));
    for (const { policy, share } of own) {
      const say = () => `it gets ${share} % of ${sayRequests(traffic())}, others get the rest: ${sayRest()}`;
      yield { object: partyOf(policy), state: 'Split', say };
    }
  }
}

/** Looks no further than it has to: a route may have thousands of members. */
function sayOthers(members: readonly Member[], own: ReadonlySet<Member>): string {
  const named: string[] = [];
  for (const member of members) {
    if (named.length === MAX_NAMED) break;
    if (!own.has(member)) named.push(`${describeWithPlace(partyOf(member.policy))} ${member.share} %`);
  }
  const more = members.length - own.size - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function sayRequests({ host = '*', path = '' }: Traffic = {}): string {
  return `the requests for ${host}${path}`;
}
