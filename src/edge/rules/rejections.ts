import { isDeepStrictEqual } from 'node:util';
import type { Drop, Edge, Policy } from '../model.ts';
import { matchOf } from '../match.ts';
import { isTrueAt, recordAt, textAt } from '../spec.ts';

/** Why a Mapping does not fit the group that its identity leads it to. */
export type Misfit =
  | 'redirect' // one of the two is a redirect: they cannot share a route
  | 'shadow' // a second shadow
  | 'alias' // two different routes of which the identities read the same
  | 'flavour' // the same text meant differently: as prefix, exact path or regular expression
  | 'option'; // an option in which the Mappings of a route must agree

/** A Mapping that was not accepted, and the one that it does not go with. */
export interface Rejection {
  readonly policy: Policy;
  readonly by: Policy;
  readonly drop: Drop;
}

export function* rejections(edge: Edge, misfit: Misfit): Iterable<Rejection> {
  for (const drop of edge.drops) {
    const { policy, by, reason } = drop;
    if (reason === 'rejected' && by && misfitOf(policy, by) === misfit) yield { policy, by, drop };
  }
}

function misfitOf(policy: Policy, by: Policy): Misfit {
  if (isTrueAt(policy.spec, 'shadow') && isTrueAt(by.spec, 'shadow')) return 'shadow';
  if (isTrueAt(policy.spec, 'host_redirect') || isTrueAt(by.spec, 'host_redirect')) return 'redirect';
  if (!sameRoute(policy, by)) return 'alias';
  return flavourOf(policy) === flavourOf(by) ? 'option' : 'flavour';
}

/** Do both ask for the same requests, apart from how the text of the path is meant? */
export function sameRoute(a: Policy, b: Policy): boolean {
  return isDeepStrictEqual(routeOf(a), routeOf(b));
}

/** What upstream's identity is made of, but kept apart. */
function routeOf({ spec }: Policy): unknown {
  const match = matchOf(spec);
  if (!match) return undefined;
  const { prefix, host, precedence } = match;
  const asked = [match.headers, match.query].map((list) => list.map(({ name, value }) => [name, value]));
  return { prefix, host, precedence, asked };
}

/** How the texts of a Mapping are meant: this is no part of upstream's identity. */
export function flavourOf({ spec }: Policy): string {
  const path = isTrueAt(spec, 'prefix_regex') ? 'regex' : isTrueAt(spec, 'prefix_exact') ? 'exact' : 'prefix';
  const isHostRegex = isTrueAt(spec, 'host_regex') && textAt(spec, 'hostname') === undefined;
  const fields = [
    ...(isHostRegex ? ['host'] : []),
    ...(isTrueAt(spec, 'method_regex') ? ['method'] : []),
    ...Object.keys(recordAt(spec, 'regex_headers')).map((name) => `header ${name}`),
    ...Object.keys(recordAt(spec, 'regex_query_parameters')).map((name) => `query parameter ${name}`),
  ];
  return fields.length === 0 ? path : `${path}, with a regular expression for ${fields.join(', ')}`;
}
