import type { Finding } from '../edge/finding.ts';
import type { Candidate } from './candidate.ts';

/** A candidate that does not pass alone. */
export interface Stopped<C = Candidate> {
  readonly candidate: C;
  readonly by: readonly Finding[];
}

/** Each is a judgement of the whole edge, while all others wait. */
const MAX_COMPANIES = 12;

/**
 * With whom of the others that wait a stopped candidate may pass, in the order in which it is worth trying. A finding that
 * stops somebody names whose object he needs changed, so first come those who need each other, in however long a ring, and
 * nobody else: strangers who would not pass anyhow must not keep them from passing. Then everybody who is tied to them, then
 * pairs; with strangers only where a finding names nobody, as what is missing may be theirs to bring.
 */
export function companiesOf<C extends { readonly source: string }>(
  stopped: Stopped<C>,
  others: readonly Stopped<C>[],
): (readonly C[])[] {
  const all = new Map([stopped, ...others].map((one) => [one.candidate.source, one]));
  const needs = new Map([...all].map(([source, { by }]) => [source, neededBy(source, by, all)]));
  const ties = new Map([...needs].map(([source, needed]) => [source, new Set(needed)]));
  for (const [source, needed] of needs) for (const other of needed) ties.get(other)!.add(source);
  const { source } = stopped.candidate;
  const tied = ties.get(source)!;
  const strangers = [...all.keys()].filter((other) => other !== source && !tied.has(other));
  const isTiedToNobody = stopped.by.some(
    ({ object, other }) => !isOfAnother(source, object) && !isOfAnother(source, other),
  );
  const companies = [
    reached(source, needs),
    reached(source, ties),
    ...[...tied, ...(isTiedToNobody ? strangers : [])].map((other) => [source, other]),
    ...(isTiedToNobody ? [[...all.keys()]] : []),
  ];
  const distinct = new Map(companies.filter(({ length }) => length > 1).map((one) => [[...one].sort().join(' '), one]));
  return [...distinct.values()].slice(0, MAX_COMPANIES).map((one) => one.map((name) => all.get(name)!.candidate));
}

/** The others among them whose objects stop the source. */
function neededBy(source: string, by: readonly Finding[], all: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  const named = by.flatMap(({ object, other }) => [object.origin.source, other?.origin.source]);
  return new Set(named.filter((name) => name !== undefined && name !== source && all.has(name)) as string[]);
}

function isOfAnother(source: string, party: Finding['other']): boolean {
  return party !== undefined && party.origin.source !== source;
}

/** The source itself first. */
function reached(source: string, edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found = new Set([source]);
  // A set that grows is walked to its new end.
  for (const one of found) for (const next of edges.get(one)!) found.add(next);
  return [...found];
}
