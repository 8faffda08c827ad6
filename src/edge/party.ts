import { NONE } from '../none.ts';
import type { Party, Traffic } from './finding.ts';
import type { Chain, Edge, Policy, RouteGroup } from './model.ts';
import type { Origin } from './input.ts';
import { matchOf } from './match.ts';
import { textAt } from './spec.ts';

const kindsOf = new WeakMap<Edge, ReadonlyMap<string, readonly Policy[]>>();

/** The policies of one kind, in the compiler's order, the dropped ones included. */
export function policiesOf(edge: Edge, kind: string): readonly Policy[] {
  let byKind = kindsOf.get(edge);
  if (!byKind) kindsOf.set(edge, (byKind = Map.groupBy(edge.policies, (policy) => policy.kind)));
  return byKind.get(kind) ?? NONE;
}

/** What brought a filter chain: the first of its TCPMappings, or its first Host. */
export function bringerOf({ tcp, vhosts }: Chain): Policy | undefined {
  return tcp ? tcp.members[0]?.policy : vhosts[0]?.host.policy;
}

/** Emissary made it of an Ingress: nobody wrote its fields. */
export function isMade({ parent, key }: Pick<Policy, 'parent' | 'key'>): boolean {
  return parent?.kind === 'Ingress' && !key.startsWith(`${parent.metadata.name}.`);
}

/** A policy as a finding names it. */
export function partyOf(policy: Policy): Party {
  const { kind, namespace, name, origin, parent } = policy;
  if (!parent) return { kind, namespace, name, origin };
  return {
    kind,
    namespace,
    name,
    origin,
    inside: `${parent.kind} ${parent.metadata.namespace ?? ''}/${parent.metadata.name}`,
    ...(isMade(policy) && { isMade: true }),
  };
}

/** For sentences: `Mapping shop/cart`, `Mapping shop/cart in the annotation of Service shop/web`, `… made of Ingress shop/web`. */
export function describe({ kind, namespace, name, inside, isMade: made }: Party): string {
  return `${kind} ${namespace}/${name}${inside ? ` ${made ? 'made of' : 'in the annotation of'} ${inside}` : ''}`;
}

/** With where it is written: `Mapping shop/cart (source teams/shop, edge/cart.yaml:12)`. */
export function describeWithPlace(party: Party): string {
  const { source, file, line } = party.origin;
  const place = [
    ...(source === undefined ? [] : [`source ${source}`]),
    ...(file === undefined ? [] : [line === undefined ? file : `${file}:${line}`]),
  ];
  return place.length === 0 ? describe(party) : `${describe(party)} (${place.join(', ')})`;
}

/** Whose it is: the source that declares it, or lacking that the namespace that it lives in. */
export function ownerOf({ origin, namespace }: { origin: Origin; namespace: string }): string {
  return origin.source === undefined ? `namespace ${namespace}` : `source ${origin.source}`;
}

/** The requests of a route group. */
export function trafficOf(group: RouteGroup): Traffic {
  const host = group.hostGlob ?? group.hostRegex;
  const methods = group.headers
    .filter(({ name, value }) => name === ':method' && value)
    .map(({ value }) => value ?? '');
  return { ...(host !== null && { host }), path: group.path.value, ...(methods.length > 0 && { methods }) };
}

/** The requests that one Mapping asks for, also where it is in no group. */
export function requestsOf({ spec }: Policy): Traffic {
  const [host, path] = [matchOf(spec)?.host, textAt(spec, 'prefix')];
  const method = textAt(spec, 'method');
  return {
    ...(host !== undefined && { host }),
    ...(path !== undefined && { path }),
    ...(method && { methods: [method] }),
  };
}
