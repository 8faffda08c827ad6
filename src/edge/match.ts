import { shown } from './shown.ts';
import { isRecord, isTrueAt, numberAt, textAt, valueAt } from './spec.ts';
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
  /** The beginning of what the group id is a hash of: all but labels and precedence, without separators. */
  readonly identity: string;
  /** An exact host that contains `*`: it can match nothing, so the Mapping is dropped. */
  readonly problem: string | undefined;
}

/** Undefined when there is no prefix at all. */
export function matchOf(spec: Spec): Match | undefined {
  const prefix = textAt(spec, 'prefix');
  if (prefix === undefined) return undefined;
  const written = asked(valueAt(spec, 'headers'), false);
  const authority = written.findLast(
    ({ name, value }) => value !== undefined && isAuthority(name) && !value.includes('*'),
  );
  const wildAuthority = written.find(({ name, value }) => isAuthority(name) && value?.includes('*') === true);
  let problem =
    wildAuthority && `:authority exact-match '${wildAuthority.value}' contains *, which cannot match anything.`;
  let [host, hostRegex] = [authority?.value, false];
  const plain = textAt(spec, 'host');
  if (plain !== undefined) {
    [host, hostRegex] = [plain, isTrueAt(spec, 'host_regex')];
    if (!hostRegex && plain.includes('*'))
      problem = `host exact-match ${plain} contains *, which cannot match anything.`;
  }
  const glob = textAt(spec, 'hostname');
  if (glob !== undefined) [host, hostRegex] = [glob, false];
  host ||= undefined;
  const method = textAt(spec, 'method');
  const headers = [
    ...written.filter(({ name, value }) => value === undefined || !isAuthority(name)),
    ...asked(valueAt(spec, 'regex_headers'), true),
    ...(host === undefined ? [] : [{ name: ':authority', value: host, regex: hostRegex }]),
    ...(method === undefined ? [] : [{ name: ':method', value: method, regex: isTrueAt(spec, 'method_regex') }]),
  ];
  const query = [
    ...asked(valueAt(spec, 'query_parameters'), false),
    ...asked(valueAt(spec, 'regex_query_parameters'), true),
  ];
  const identity = `HTTP-GET${prefix}${[...headers, ...query].map(({ name, value = '' }) => name + value).join('')}`;
  return { prefix, host, hostRegex, headers, query, precedence: numberAt(spec, 'precedence') ?? 0, identity, problem };
}

function isAuthority(name: string): boolean {
  return name.toLowerCase() === ':authority';
}

function asked(values: unknown, regex: boolean): Asked[] {
  if (!isRecord(values)) return [];
  return Object.entries(values).map(([name, value]) => ({
    name,
    value: value === true || value === null ? undefined : textOf(value),
    regex,
  }));
}

/** What is no text is nothing that could match, but it is told apart by. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : shown(value);
}

/** What the matching order is made of, compared from left to right: upstream's `route_weight`. */
export function orderWeight({ prefix, headers, query, precedence }: Match): (number | string)[] {
  const text = ({ value }: Asked): string => value || '*';
  const length = (all: readonly Asked[]): number =>
    all.reduce((sum, one) => sum + size(one.name) + size(text(one)) + (one.regex ? 1 : 0), 0);
  const keys = [...headers, ...query].map((one) => `${one.name}-${text(one)}`);
  return [precedence, size(prefix), length(headers), length(query), prefix, 'GET', ...keys];
}

/** In code points, as Python counts. */
function size(text: string): number {
  let surrogates = 0;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) surrogates++;
  return text.length - surrogates;
}

/** As Envoy gets them: the glob of a host becomes a prefix or suffix, and `*` nothing at all. */
export function headerMatches(headers: readonly Asked[]): ValueMatch[] {
  return headers.flatMap(({ name, value, regex }) => {
    if (regex || name !== ':authority' || value === undefined) return [valueMatch({ name, value, regex })];
    if (value === '*') return [];
    if (value.startsWith('*')) return [{ name, match: 'suffix', value: value.slice(1) }];
    if (value.endsWith('*')) return [{ name, match: 'prefix', value: value.slice(0, -1) }];
    return [{ name, match: 'exact', value }];
  });
}

export function queryMatches(query: readonly Asked[]): ValueMatch[] {
  return query.map(valueMatch);
}

function valueMatch({ name, value, regex }: Asked): ValueMatch {
  if (value === undefined) return { name, match: 'present' };
  return { name, match: regex ? 'regex' : 'exact', value };
}
