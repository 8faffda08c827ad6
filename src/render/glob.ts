/**
 * Globs, matched in time that grows with pattern × text whatever stands in them: patterns come from whoever writes a source or pushes,
 * and as a regular expression a few stars before a long name keep a process busy for ever.
 */

const STAR = -1;
const ANY = -2;

/** `[a-z]`: pairs of first and last character code. */
interface CharacterClass {
  readonly ranges: readonly (readonly [number, number])[];
  readonly isNegated: boolean;
}

/** A character code, or what may stand for characters. */
type Token = number | CharacterClass;

/** The pattern of one name; as text where nothing in it stands for anything else. */
export type NamePattern = string | readonly Token[];

/** Any names, or none. */
export const ANY_NAMES = Symbol('**');

/** The pattern of a path, name by name. */
export type PathPattern = readonly (NamePattern | typeof ANY_NAMES)[];

/** `**` as a name stands for any names. Throws BadPattern. */
export function readName(text: string): NamePattern | typeof ANY_NAMES {
  return /^\*{2,}$/.test(text) ? ANY_NAMES : readNamePattern(text);
}

/** Any one name. */
export const ANY_NAME: NamePattern = [STAR];

/** What must not be exceeded in one go: comparisons of a character. */
export class Effort {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  /** Throws TooMuchEffort. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchEffort();
  }
}

export class TooMuchEffort extends Error {
  override readonly name = 'TooMuchEffort';
}

/** A pattern that cannot be read; the message says why, in a clause. */
export class BadPattern extends Error {
  override readonly name = 'BadPattern';
}

/**
 * `*` stands for any characters, `?` for one, `[a-z]`, `[!a]` and `[^a]` for one of a class, `\` makes the next one plain. A name never
 * holds a slash. Throws BadPattern.
 */
export function readNamePattern(text: string): NamePattern {
  if (!/[*?[\\]/.test(text)) return text;
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '*') {
      if (tokens.at(-1) !== STAR) tokens.push(STAR);
    } else if (character === '?') {
      tokens.push(ANY);
    } else if (character === '[') {
      const { found, end } = readClass(text, at + 1);
      tokens.push(found);
      at = end;
    } else {
      if (character === '\\') at += 1;
      if (at >= text.length) throw new BadPattern('ends with \\, which makes the next character plain');
      tokens.push(text.charCodeAt(at));
    }
  }
  return tokens;
}

/** From behind the bracket; `end` is where it is closed. */
function readClass(text: string, start: number): { found: CharacterClass; end: number } {
  const isNegated = text[start] === '!' || text[start] === '^';
  const ranges: [number, number][] = [];
  const first = isNegated ? start + 1 : start;
  for (let at = first; at < text.length; at += 1) {
    // The first bracket is one of the class.
    if (text[at] === ']' && at > first) return { found: { ranges, isNegated }, end: at };
    const named = /^\[:(\w+):\]/.exec(text.slice(at));
    if (named) {
      ranges.push(...rangesOf(named[1]!));
      at += named[0].length - 1;
      continue;
    }
    if (text[at] === '\\') at += 1;
    const from = text.charCodeAt(at);
    const isRange = text[at + 1] === '-' && at + 2 < text.length && text[at + 2] !== ']';
    if (isRange) at += text[at + 2] === '\\' ? 3 : 2;
    ranges.push([from, text.charCodeAt(at)]);
  }
  throw new BadPattern('has a [ without its ]');
}

const NAMED_CLASSES: Readonly<Record<string, readonly string[]>> = {
  alnum: ['09', 'AZ', 'az'],
  alpha: ['AZ', 'az'],
  blank: ['  ', '\t\t'],
  cntrl: ['\0\x1f', '\x7f\x7f'],
  digit: ['09'],
  graph: ['!~'],
  lower: ['az'],
  print: [' ~'],
  punct: ['!/', ':@', '[`', '{~'],
  space: ['\t\r', '  '],
  upper: ['AZ'],
  xdigit: ['09', 'AF', 'af'],
};

function rangesOf(name: string): [number, number][] {
  if (!Object.hasOwn(NAMED_CLASSES, name)) throw new BadPattern(`has an unknown class [:${name}:]`);
  return NAMED_CLASSES[name]!.map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]);
}

/** Does the pattern stand for the whole name? */
export function matchesName(pattern: NamePattern, name: string, effort: Effort): boolean {
  if (typeof pattern === 'string') {
    effort.spend(1);
    return pattern === name;
  }
  return standsFor(pattern, STAR, name.length, (token, at) => fits(token, name.charCodeAt(at)), effort);
}

function fits(token: Token, code: number): boolean {
  if (typeof token === 'number') return token === ANY || token === code;
  return token.ranges.some(([from, to]) => code >= from && code <= to) !== token.isNegated;
}

/** Does the pattern stand for the whole path? */
export function matchesPath(pattern: PathPattern, path: readonly string[], effort: Effort): boolean {
  const fitsAt = (part: PathPattern[number], at: number) => part !== ANY_NAMES && matchesName(part, path[at]!, effort);
  return standsFor(pattern, ANY_NAMES, path.length, fitsAt, effort);
}

/** Does the pattern stand for all of `length` things, where `many` stands for any number of them and `fitsAt` tells of one? */
function standsFor<Part>(
  pattern: readonly Part[],
  many: Part,
  length: number,
  fitsAt: (part: Part, at: number) => boolean,
  effort: Effort,
): boolean {
  let [at, part, star, mark, steps] = [0, 0, -1, 0, 1];
  while (at < length) {
    steps += 1;
    if (pattern[part] === many) {
      [star, mark] = [part, at];
      part += 1;
    } else if (part < pattern.length && fitsAt(pattern[part]!, at)) {
      part += 1;
      at += 1;
    } else if (star >= 0) {
      // The last star takes one more; what the ones before it took can stay.
      mark += 1;
      [part, at] = [star + 1, mark];
    } else {
      break;
    }
  }
  effort.spend(steps);
  while (pattern[part] === many) part += 1;
  return at === length && part === pattern.length;
}

/** No more alternatives than this come of one pattern. */
const MAX_ALTERNATIVES = 100;

/** What a pattern with alternatives, `{a,b}`, stands for. Throws BadPattern. */
export function alternativesOf(pattern: string): string[] {
  const open = [pattern];
  const found: string[] = [];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = firstBraces(next);
    if (braces) open.push(...braces.alternatives.map((one) => braces.before + one + braces.behind).reverse());
    else found.push(next);
    if (open.length + found.length > MAX_ALTERNATIVES)
      throw new BadPattern(`stands for more than ${MAX_ALTERNATIVES} patterns`);
  }
  return found;
}

/** Braces without a comma are plain characters. */
function firstBraces(text: string): { before: string; alternatives: string[]; behind: string } | undefined {
  for (let start = nextPlain(text, 0, '{'); start >= 0; start = nextPlain(text, start + 1, '{')) {
    const alternatives: string[] = [];
    let [depth, from] = [1, start + 1];
    for (let at = start + 1; at < text.length; at += 1) {
      const character = text[at];
      if (character === '\\') at += 1;
      else if (character === '{') depth += 1;
      else if (character === ',' && depth === 1) {
        alternatives.push(text.slice(from, at));
        from = at + 1;
      } else if (character === '}') {
        depth -= 1;
        if (depth > 0) continue;
        if (alternatives.length === 0) break;
        return {
          before: text.slice(0, start),
          alternatives: [...alternatives, text.slice(from, at)],
          behind: text.slice(at + 1),
        };
      }
    }
  }
  return undefined;
}

/** Where the character stands that no backslash makes plain; -1: nowhere. */
function nextPlain(text: string, from: number, wanted: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === wanted) return at;
  }
  return -1;
}
