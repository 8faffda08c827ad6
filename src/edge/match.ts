import { weightText } from './route-order.ts';
import { shown } from './shown.ts';
import { isRecord, isTrueAt, numberAt, textAt } from './spec.ts';
import type { Spec, ValueMatch } from './model.ts';

/** A header or query parameter as a Mapping asks for it. */
export interface Asked {
  readonly name: string;
  /** Absent: it just has to be there. */
  readonly value: string | undefined;
  readonly regex: boolean;
}

/** Which requests a Mapping asks for, and what it is grouped and ordered by (ir/irhttpmapping.py). */
export interface Match {
  readonly prefix: string;
  /** `hostname` before `host` before the header `:authority`; undefined: none of them. A glob, unless `hostRegex`. */
  readonly host: string | undefined;
  readonly hostRegex: boolean;
  /** `:authority` and `:method` included, at the end. */
  readonly headers: readonly Asked[];
  readonly query: readonly Asked[];
  readonly precedence: number;
  /** What the matching order is made of, compared from left to right: upstream's `route_weight`. */
  readonly weight: string;
  /** An exact host that contains `*`: it can match nothing, so the Mapping is dropped. */
  readonly problem: string | undefined;
}

/** Undefined when there is no prefix at all. */
export function matchOf(spec: Spec): Match | undefined {
  const prefix = textAt(spec, 'prefix');
  if (prefix === undefined) return undefined;
  const headers: Asked[] = [];
  const { host, hostRegex, problem } = hostOf(spec, headers);
  addAsked(headers, spec['regex_headers'], true);
  if (host !== undefined) headers.push({ name: ':authority', value: host, regex: hostRegex });
  const method = textAt(spec, 'method');
  if (method !== undefined) headers.push({ name: ':method', value: method, regex: isTrueAt(spec, 'method_regex') });
  const query: Asked[] = [];
  addAsked(query, spec['query_parameters'], false);
  addAsked(query, spec['regex_query_parameters'], true);
  const precedence = numberAt(spec, 'precedence') ?? 0;
  const weight = orderWeight(prefix, headers, query, precedence);
  return { prefix, host, hostRegex, headers: trimmed(headers), query: trimmed(query), precedence, weight, problem };
}

const NOTHING: readonly never[] = [];

/** A list that was pushed to has room for sixteen more, and there are thousands of them. */
function trimmed<Item>(list: readonly Item[]): readonly Item[] {
  return list.length === 0 ? NOTHING : list.slice();
}

/** What Mappings are grouped by, without separators; upstream's group id is a hash of it. `labels`: what selectors see of it. */
export function identityOf({ prefix, headers, query, precedence }: Match, labels: string): string {
  const parts = ['HTTP-GET', prefix];
  for (const { name, value } of headers) parts.push(name, value ?? '');
  for (const { name, value } of query) parts.push(name, value ?? '');
  parts.push(labels, precedence === 0 ? '' : String(precedence));
  return parts.join('');
}

/** The host that is asked for. Adds the exact headers but `:authority`, which is a spelling of the host. */
function hostOf(spec: Spec, headers: Asked[]): Pick<Match, 'host' | 'hostRegex' | 'problem'> {
  let [host, hostRegex, problem]: [string | undefined, boolean, string | undefined] = [undefined, false, undefined];
  const written: Asked[] = [];
  addAsked(written, spec['headers'], false);
  for (const header of written) {
    const { name, value } = header;
    if (value === undefined || name.toLowerCase() !== ':authority') headers.push(header);
    else if (value.includes('*'))
      problem = `:authority exact-match '${value}' contains *, which cannot match anything.`;
    else host = value;
  }
  const plain = textAt(spec, 'host');
  if (plain !== undefined) {
    [host, hostRegex] = [plain, isTrueAt(spec, 'host_regex')];
    if (!hostRegex && plain.includes('*'))
      problem = `host exact-match ${plain} contains *, which cannot match anything.`;
  }
  const glob = textAt(spec, 'hostname');
  if (glob !== undefined) [host, hostRegex] = [glob, false];
  return { host: host || undefined, hostRegex, problem };
}

function addAsked(to: Asked[], values: unknown, regex: boolean): void {
  if (!isRecord(values)) return;
  for (const [name, value] of Object.entries(values)) {
    to.push({ name, value: value === true || value === null ? undefined : textOf(value), regex });
  }
}

/** What is no text is nothing that could match, but it is told apart by. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : shown(value);
}

function orderWeight(prefix: string, headers: readonly Asked[], query: readonly Asked[], precedence: number): string {
  const weight = [precedence, size(prefix), lengthOf(headers), lengthOf(query), prefix, 'GET'];
  for (const { name, value } of headers) weight.push(`${name}-${value || '*'}`);
  for (const { name, value } of query) weight.push(`${name}-${value || '*'}`);
  return weightText(weight);
}

function lengthOf(all: readonly Asked[]): number {
  let length = 0;
  for (const { name, value, regex } of all) length += size(name) + size(value || '*') + (regex ? 1 : 0);
  return length;
}

/** In code points, as Python counts. */
function size(text: string): number {
  let surrogates = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) surrogates++;
  return text.length - surrogates;
}

/** As Envoy gets them: the glob of a host becomes a prefix or suffix, and `*` nothing at all. */
export function headerMatches(headers: readonly Asked[]): readonly ValueMatch[] {
  const matches = headers.flatMap(({ name, value, regex }) => {
    if (regex || name !== ':authority' || value === undefined) return [valueMatch({ name, value, regex })];
    if (value === '*') return [];
    if (value.startsWith('*')) return [{ name, match: 'suffix' as const, value: value.slice(1) }];
    if (value.endsWith('*')) return [{ name, match: 'prefix' as const, value: value.slice(0, -1) }];
    return [{ name, match: 'exact' as const, value }];
  });
  return trimmed(matches);
}

export function queryMatches(query: readonly Asked[]): readonly ValueMatch[] {
  return query.length === 0 ? NOTHING : query.map(valueMatch);
}

function valueMatch({ name, value, regex }: Asked): ValueMatch {
  if (value === undefined) return { name, match: 'present' };
  return { name, match: regex ? 'regex' : 'exact', value };
}
