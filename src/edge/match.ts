import { NONE } from '../none.ts';
import { Pool, TextPool } from './pool.ts';
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
  const { host, hostRegex, problem, exact } = hostOf(spec);
  const headers = headersOf(spec, exact, host === undefined ? NONE : authority(host, hostRegex));
  const query = askedOf(spec['query_parameters'], false).concat(askedOf(spec['regex_query_parameters'], true));
  const precedence = numberAt(spec, 'precedence') ?? 0;
  const weight = orderWeight(prefix, headers, query, precedence);
  return { prefix, host, hostRegex, headers, query: query.length === 0 ? NONE : query, precedence, weight, problem };
}

/** Why no request can ask for the host of a Mapping, whatever its prefix is. */
export function hostProblemOf(spec: Spec): string | undefined {
  return hostOf(spec).problem;
}

// Most ask for nothing else, and there are thousands of them.
function headersOf(spec: Spec, exact: readonly Asked[], host: readonly Asked[]): readonly Asked[] {
  const regexes = askedOf(spec['regex_headers'], true);
  const method = textAt(spec, 'method');
  if (method === undefined && exact.length === 0 && regexes.length === 0) return host;
  const methods =
    method === undefined ? NONE : { name: ':method', value: method, regex: isTrueAt(spec, 'method_regex') };
  return exact.concat(regexes, host, methods);
}

function authority(host: string, regex: boolean): readonly Asked[] {
  const asked = () => [{ name: ':authority', value: host, regex }];
  return regex ? asked() : ofHosts.shared(host, asked);
}

/** Ten thousand Mappings ask for some hundred hosts, most of them for nothing else. */
const ofHosts = new Pool<readonly Asked[]>();
const matchesOfHosts = new Pool<readonly ValueMatch[]>();

/** What Mappings are grouped by, without separators; upstream's group id is a hash of it. `labels`: what selectors see of it. */
export function identityOf({ prefix, headers, query, precedence }: Match, labels: string): string {
  const parts = ['HTTP-GET', prefix];
  for (const { name, value } of headers) parts.push(name, value ?? '');
  for (const { name, value } of query) parts.push(name, value ?? '');
  parts.push(labels, precedence === 0 ? '' : String(precedence));
  return parts.join('');
}

/** The host that is asked for, and the exact headers but `:authority`, which is a spelling of the host. */
function hostOf(spec: Spec): Pick<Match, 'host' | 'hostRegex' | 'problem'> & { exact: readonly Asked[] } {
  let host: string | undefined;
  let hostRegex = false;
  let problem: string | undefined;
  const written = askedOf(spec['headers'], false);
  const authorities = written.filter(isAuthority);
  const exact = authorities.length === 0 ? written : written.filter((header) => !isAuthority(header));
  for (const { value } of authorities) {
    if (value?.includes('*')) problem = `:authority exact-match '${value}' contains *, which cannot match anything.`;
    else host = value;
  }
  const plain = textAt(spec, 'host');
  if (plain !== undefined) {
    host = plain;
    hostRegex = isTrueAt(spec, 'host_regex');
    if (!hostRegex && plain.includes('*'))
      problem = `host exact-match ${plain} contains *, which cannot match anything.`;
  }
  const glob = textAt(spec, 'hostname');
  if (glob !== undefined) {
    host = glob;
    hostRegex = false;
  }
  return { host: host ? hosts.shared(host) : undefined, hostRegex, problem, exact };
}

/** One that only has to be there is no spelling of the host. */
function isAuthority({ name, value }: Asked): boolean {
  return value !== undefined && name.toLowerCase() === ':authority';
}

/** Ten thousand Mappings name some hundred hosts, and are looked up by them in each run. */
const hosts = new TextPool();

function askedOf(values: unknown, regex: boolean): readonly Asked[] {
  if (!isRecord(values)) return NONE;
  return Object.entries(values).map(([name, value]) => {
    return { name, value: value === true || value === null ? undefined : textOf(value), regex };
  });
}

/** What is no text is nothing that could match, but it is told apart by. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : shown(value);
}

function orderWeight(prefix: string, headers: readonly Asked[], query: readonly Asked[], precedence: number): string {
  const weight = [precedence, size(prefix), lengthOf(headers), lengthOf(query), prefix, 'GET'];
  for (const asked of headers) weight.push(askedText(asked));
  for (const asked of query) weight.push(askedText(asked));
  return weightText(weight);
}

function askedText({ name, value }: Asked): string {
  return `${name}-${value || '*'}`;
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
  const [only] = headers;
  const host = headers.length === 1 && only?.name === ':authority' && !only.regex ? only.value : undefined;
  return host === undefined ? matchesOf(headers) : matchesOfHosts.shared(host, () => matchesOf(headers));
}

function matchesOf(headers: readonly Asked[]): readonly ValueMatch[] {
  const asked = headers.some(isAnyHost) ? headers.filter((header) => !isAnyHost(header)) : headers;
  return asked.length === 0 ? NONE : asked.map(headerMatch);
}

function isAnyHost({ name, value, regex }: Asked): boolean {
  return name === ':authority' && value === '*' && !regex;
}

function headerMatch(header: Asked): ValueMatch {
  const { name, value, regex } = header;
  if (regex || name !== ':authority' || value === undefined) return valueMatch(header);
  if (value.startsWith('*')) return { name, match: 'suffix', value: value.slice(1) };
  if (value.endsWith('*')) return { name, match: 'prefix', value: value.slice(0, -1) };
  return { name, match: 'exact', value };
}

export function queryMatches(query: readonly Asked[]): readonly ValueMatch[] {
  return query.length === 0 ? NONE : query.map(valueMatch);
}

function valueMatch({ name, value, regex }: Asked): ValueMatch {
  if (value === undefined) return { name, match: 'present' };
  return { name, match: regex ? 'regex' : 'exact', value };
}
