import type { RouteGroup, ValueMatch } from './model.ts';
import { matchesWhole } from './regex.ts';

// Match sets, one dimension after the other: a route covers another one when every request that the second asks for is one
// that the first asks for. Where regular expressions make that undecidable the answer is "no".

/** Does the first take every host name that the second takes? */
export function hostCovers(a: RouteGroup, b: RouteGroup): boolean {
  if (a.hostRegex !== null) {
    if (a.hostRegex === b.hostRegex || a.hostRegex === '.*') return true;
    return b.hostGlob !== null && !b.hostGlob.includes('*') && matchesWhole(a.hostRegex, b.hostGlob);
  }
  if (a.hostGlob === null || a.hostGlob === '*') return true;
  return b.hostGlob !== null && globTakes(a.hostGlob, b.hostGlob);
}

/** As hosts are attached: letter case counts, and a `*` stands for at least one character. */
function globTakes(glob: string, host: string): boolean {
  if (glob === host) return true;
  if (host === '*' || host.length < glob.length) return false;
  if (glob.startsWith('*')) return host.endsWith(glob.slice(1)) && !host.endsWith('*');
  return glob.endsWith('*') && host.startsWith(glob.slice(0, -1)) && !host.startsWith('*');
}

/** Does the first take every path that the second takes? */
export function pathCovers(a: RouteGroup, b: RouteGroup): boolean {
  if (a.path.match === 'regex') return regexCovers(a.path.value, b.path);
  return asReadBy(a, b).startsWith(literalOf(a)) && pathCoversFrom(a, b);
}

/**
 * The same where the literal text of the first is known to be a beginning of the second's: texts are compared letter by
 * letter, and of deeply nested prefixes each would be compared with each.
 */
function pathCoversFrom(a: RouteGroup, b: RouteGroup): boolean {
  if (a.path.match === 'regex') return regexCovers(a.path.value, b.path);
  if (a.caseSensitive && !b.caseSensitive && b.path.match !== 'regex') return false;
  if (a.path.match === 'prefix') return true;
  return b.path.match === 'path' && asReadBy(a, b).length === literalOf(a).length;
}

/** The literal text of the second, in small letters where letter case does not count for the first. */
function asReadBy(a: RouteGroup, b: RouteGroup): string {
  return a.caseSensitive ? literalOf(b) : literalOf(b).toLowerCase();
}

function regexCovers(regex: string, { match, value }: RouteGroup['path']): boolean {
  if (match === 'regex') return regex === value || regex === '.*';
  return matchesWhole(regex, value) && (match === 'path' || endsInAnything(regex));
}

/** `.*` or `.+` at the end of the whole expression: what it matches it also matches with more text behind. */
function endsInAnything(regex: string): boolean {
  const end = /(?<!\\)(\\*)\.[*+]\??\$?$/.exec(regex);
  return end !== null && end[1]!.length % 2 === 0 && !withoutGroups(regex).includes('|');
}

/** What stands outside of all parentheses and classes: a `|` there divides the whole expression. In one pass, since it may be long. */
function withoutGroups(regex: string): string {
  let text = '';
  let depth = 0;
  for (let at = 0; at < regex.length; at += 1) {
    const character = regex[at]!;
    if (character === '\\') at += 1;
    else if (character === '[') at = endOfClass(regex, at);
    else if (character === '(') depth += 1;
    else if (character === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) text += character;
  }
  // With parentheses that are not closed it is no expression: nothing is known of it.
  return depth === 0 ? text : '|';
}

/** RE2's classes: a bracket may stand first (`[]a]`, `[^]a]`), behind a backslash, and around a name (`[[:alpha:]]`). */
const CLASS = /\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/sy;

/** Where the class that begins at the bracket ends; without an end, it takes the rest. */
function endOfClass(regex: string, start: number): number {
  CLASS.lastIndex = start;
  return CLASS.test(regex) ? CLASS.lastIndex - 1 : regex.length;
}

/** Of headers or query parameters: does every request that fits the second list fit the first? `:authority` is compared as host. */
export function valuesCover(a: readonly ValueMatch[], b: readonly ValueMatch[]): boolean {
  return a.every((asked) => asked.name === ':authority' || b.some((given) => implies(given, asked)));
}

function implies(given: ValueMatch, asked: ValueMatch): boolean {
  if (given.name.toLowerCase() !== asked.name.toLowerCase()) return false;
  if (asked.match === 'present') return true;
  if (given.match === asked.match && given.value === asked.value) return true;
  return asked.match === 'regex' && given.match === 'exact' && matchesWhole(asked.value ?? '', given.value ?? '');
}

/** Does the first take every request that the second takes, on a Host that serves both? */
export function covers(a: RouteGroup, b: RouteGroup): boolean {
  return hostCovers(a, b) && pathCovers(a, b) && valuesCover(a.headers, b.headers) && valuesCover(a.query, b.query);
}

/** The same for two of which the first's literal text is known to be a beginning of the second's. */
export function coversFrom(a: RouteGroup, b: RouteGroup): boolean {
  return hostCovers(a, b) && pathCoversFrom(a, b) && valuesCover(a.headers, b.headers) && valuesCover(a.query, b.query);
}

/** What every path of the group starts with; in small letters when letter case does not count. */
export function literalOf({ path, caseSensitive }: RouteGroup): string {
  const text = path.match === 'regex' ? literalStart(path.value) : path.value;
  return caseSensitive || path.match === 'regex' ? text : text.toLowerCase();
}

/** The text that a regular expression begins with: up to the first special character, and without what that one repeats. */
function literalStart(regex: string): string {
  if (withoutGroups(regex).includes('|')) return '';
  const text = /^\^?([^\\.+*?()[\]{}|^$]*)(.?)/s.exec(regex);
  const [, literal = '', next = ''] = text ?? [];
  return '*?{'.includes(next) && next !== '' ? literal.slice(0, -1) : literal;
}

/** A path of the second that the regular expression of the first takes too; undefined: none of those that were tried. */
export function witnessPath(a: RouteGroup, b: RouteGroup): string | undefined {
  if (a.path.match !== 'regex' || b.path.match === 'regex') return undefined;
  const { match, value } = b.path;
  const tried = match === 'path' ? [value] : [value, `${value}x`, `${value}1`, `${value}/x`, `${value}x/x`];
  return tried.find((path) => matchesWhole(a.path.value, path));
}
