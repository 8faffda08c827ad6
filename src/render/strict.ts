import { ReadError } from './node.ts';

// Where js-yaml's grammar is not that of kubectl's parser. What kubectl refuses is refused; what the two read differently is
// rewritten so that js-yaml reads it as kubectl does, or refused where nobody would write it.

/** Offsets in a document's text. */
export interface Range {
  from: number;
  to: number;
}

/** A change to the text, after which js-yaml reads it as kubectl reads the original. Lines stay where they are. */
export class Rewrite {
  readonly from: number;
  readonly to: number;
  readonly text: string;

  constructor(from: number, to: number, text: string) {
    this.from = from;
    this.to = to;
    this.text = text;
  }
}

// eslint-disable-next-line no-control-regex
const REFUSED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u2028\u2029\ufffe\uffff]/;

/** Characters that kubectl refuses anywhere, and two (LS, PS) that end a line for it and for nobody who writes them. */
export function refusedCharacter(text: string): { at: number; reason: string } | undefined {
  const at = text.search(REFUSED);
  if (at < 0) return undefined;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  return { at, reason: `the character U+${code} must be written as an escape in double quotes` };
}

/**
 * In flow collections kubectl ends unquoted text at a `?`, and not at a colon that a bracket or comma follows; it starts none
 * with either.
 */
export function checkPlainInFlow(
  text: string,
  input: string,
  { from, to }: Range,
  isInFlow: () => boolean,
  line: number,
): void {
  if (/\?|^:/.test(text) && isInFlow()) {
    if (/^\?[^?]*$/.test(text)) {
      const start = contentAt(input, from);
      throw new Rewrite(start + 1, start + 1, ' ');
    }
    throw new ReadError(
      'InvalidYaml',
      line,
      'text inside brackets holds a question mark or starts with a colon; quote it',
    );
  }
  if (input[to] === ':' && ',[]{}'.includes(input[to + 1] ?? ' ')) {
    if ('[{'.includes(input[to + 1]!)) {
      throw new ReadError('InvalidYaml', line, 'in brackets a space must follow the colon of a key');
    }
    const start = contentAt(input, from);
    throw new Rewrite(start, to + 1, `'${input.slice(start, to + 1).replaceAll("'", "''")}'`);
  }
}

/** Where the content of a node starts: after blanks, comments, anchors and tags. */
export function contentAt(input: string, from: number): number {
  let at = textAt(input, from);
  while (input[at] === '&' || input[at] === '!') at = textAt(input, skip(input, at, ' \t\n\0'));
  return at;
}

/** Where the next text starts: after blanks and comments. */
function textAt(input: string, from: number): number {
  let at = from;
  for (;;) {
    const character = input[at];
    if (character === ' ' || character === '\t' || character === '\n') at++;
    else if (character === '#') at = skip(input, at, '\n\0');
    else return at;
  }
}

function skip(input: string, from: number, until: string): number {
  let at = from;
  while (at < input.length && !until.includes(input[at]!)) at++;
  return at;
}

/** Of an anchor, as far as kubectl takes it for its name; what may follow it without a blank. */
const ANCHOR_NAME = /^[\w-]+/;
const AFTER_ANCHOR = /[ \t\n,\]}?:\0]/;

/**
 * An anchor's name ends at the first character that is no letter, digit, `_` or `-`; js-yaml goes on to a blank.
 * @returns where the anchor stands
 */
export function checkAnchor(input: string, anchor: string, { from }: Range, line: number): number {
  const name = ANCHOR_NAME.exec(anchor)?.[0] ?? '';
  let at = textAt(input, from);
  while (input[at] === '!') at = textAt(input, skip(input, at, ' \t\n\0'));
  const end = at + 1 + name.length;
  if (name === '' || !AFTER_ANCHOR.test(input[end] ?? '\0')) {
    throw new ReadError(
      'InvalidYaml',
      line,
      'the name of an anchor holds other characters than letters, digits, _ and -',
    );
  }
  if (name !== anchor) throw new Rewrite(end, end, ' ');
  return at;
}

/** No part of a URI. */
const NOT_IN_TAG = /[^!-~]|[#"<>\\^`{|}]/;

/** kubectl takes a tag only if it is a URI, or the end of one. */
export function checkTag(tag: string, line: number): void {
  if (!NOT_IN_TAG.test(tag) && tag !== 'tag:yaml.org,2002:') return;
  throw new ReadError('InvalidYaml', line, 'a tag is empty or holds a character that must be written as %XX');
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|.)/gs;

const BEFORE_BLANK_LINES = /\\\n(?:[ \t]*\n)+/y;

/** In double quotes kubectl knows no `\/`, and no escape of half a surrogate pair; js-yaml loses blank lines after `\`. */
export function checkQuoted(input: string, { from, to }: Range, line: number): void {
  const start = contentAt(input, from);
  if (input[start] !== '"') return;
  const quoted = input.slice(start, to);
  if (!quoted.includes('\\')) return;
  for (const match of quoted.matchAll(ESCAPE)) {
    const [escape, x, u, U] = match;
    BEFORE_BLANK_LINES.lastIndex = match.index;
    const breaks = BEFORE_BLANK_LINES.exec(quoted)?.[0];
    if (breaks !== undefined) {
      const blank = breaks.split('\n').length - 2;
      const at = start + match.index;
      throw new Rewrite(at, at + breaks.length, `${'\\n'.repeat(blank)}${'\\\n'.repeat(blank + 1)}`);
    }
    const code = Number.parseInt(x ?? u ?? U ?? '0', 16);
    if (escape === '\\/' || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
      throw new ReadError(
        'InvalidYaml',
        line,
        'an escape in double quotes is none of YAML; write the character itself',
      );
    }
  }
}

/**
 * js-yaml loses anchor and tag of block text whose `|` or `>` stands on a line of its own below them: they are moved there.
 * @param from before the anchor or tag, if there is one
 */
export function lostPropertiesRewrite(input: string, from: number): Rewrite | undefined {
  const first = textAt(input, from);
  let at = first;
  let properties = '';
  let between = '';
  while (input[at] === '&' || input[at] === '!') {
    const end = skip(input, at, ' \t\n\0');
    properties += `${input.slice(at, end)} `;
    at = textAt(input, end);
    between += input.slice(end, at);
  }
  return at === first ? undefined : new Rewrite(first, at, between + properties);
}

/** What may follow quoted text or a closing bracket. */
const REST_OF_LINE = /[ \t]*(?:[#\n\0]|:[ \t\n\0])/y;

/** js-yaml lets a key or an entry follow on the line on which quoted text or brackets of several lines end. */
export function checkEnd(input: string, { to }: Range, line: number): void {
  REST_OF_LINE.lastIndex = to;
  if (REST_OF_LINE.test(input)) return;
  throw new ReadError('InvalidYaml', line, 'something follows the end of a value on its line');
}

const TAB_BEFORE_TEXT = /[|>][-+]?(?:[ \t].*)?\n(?: *\n)* *\t/y;

/** Where no number says how far block text is indented, kubectl takes no tab among the blanks before its first text. */
export function checkBlockIndent(input: string, { from }: Range, line: number): void {
  TAB_BEFORE_TEXT.lastIndex = contentAt(input, from);
  const lead = TAB_BEFORE_TEXT.exec(input)?.[0];
  if (lead === undefined) return;
  const at = line + lead.split('\n').length - 1;
  throw new ReadError(
    'InvalidYaml',
    at,
    'a tab indents the first line of a block of text; say how far it is indented (|2)',
  );
}

const MAX_KEY = 1024;

/** A key that is not introduced by `? ` must be found within 1,024 characters. */
export function checkKeyLength(input: string, { from, to }: Range, line: number): void {
  // Half of each surrogate pair is left out: kubectl counts characters.
  if (to - from <= MAX_KEY || input.slice(from, to).replace(/[\udc00-\udfff]/g, '').length <= MAX_KEY) return;
  if (/\?[ \t\r\n]*$/.test(input.slice(Math.max(0, from - 100), from))) return;
  throw new ReadError('InvalidYaml', line, `a key is longer than ${MAX_KEY} characters`);
}

/** Unlike `~` no unquoted text, which would make the blanks behind it a part of it. */
const NULL = "!!null ''";

/**
 * After an empty entry js-yaml takes the next dash for the same list, even one further left (`- -` above `- a`): such an
 * entry is written out.
 * @param starts where each entry's content starts; null for an empty entry
 */
export function emptyEntryRewrite(input: string, starts: readonly (number | null)[], end: number): Rewrite | undefined {
  for (let index = 0; index < starts.length; index++) {
    if (starts[index] !== null) continue;
    const first = index;
    while (index < starts.length && starts[index] === null) index++;
    const next = starts[index];
    // The dashes of the empty entries, and the one of the entry that follows them, if any.
    const dashes = dashesBefore(input, next ?? end, index - first + (next === undefined ? 0 : 1));
    const wrong = dashes.findIndex((dash, at) => at > 0 && columnOf(input, dash) < columnOf(input, dashes[at - 1]!));
    const own = dashes[wrong - 1];
    if (own === undefined) continue;
    // Behind the blanks: a tab among them must still be found.
    const place = skip(input, own + 1, '#\n\0');
    return new Rewrite(place, place, ` ${NULL} `);
  }
  return undefined;
}

/** The last `count` dashes that end their lines (but for blanks and a comment) before a position, in the file's order. */
function dashesBefore(input: string, position: number, count: number): number[] {
  const dashes: number[] = [];
  let end = position;
  while (dashes.length < count && end > 0) {
    const lineStart = input.lastIndexOf('\n', end - 1) + 1;
    const line = input.slice(lineStart, end);
    const content = line.replace(/(?:^|[ \t])#.*$/, '').trimEnd();
    if (content.endsWith('-')) dashes.push(lineStart + content.length - 1);
    else if (content !== '') break;
    end = lineStart - 1;
  }
  return dashes.reverse();
}

function columnOf(input: string, position: number): number {
  return position - (input.lastIndexOf('\n', position) + 1);
}

/** The column of a block collection. What stands before its first key, on the same line, belongs to that key. */
export function blockColumn(input: string, content: number): number {
  let start = content;
  for (;;) {
    let end = start;
    while (input[end - 1] === ' ' || input[end - 1] === '\t') end--;
    let word = end;
    while (word > 0 && !' \t\n'.includes(input[word - 1]!)) word--;
    if (word === end || (input[word] !== '&' && input[word] !== '!')) return columnOf(input, start);
    start = word;
  }
}

/**
 * js-yaml takes the anchor or the tag of the next key for one of the empty value above it, if that has only the other: such
 * a value is written out.
 * @param around where the node around it starts; where both start with the same, js-yaml only tries whether that is a key
 */
export function emptyValueRewrite(input: string, from: number, around: number): Rewrite | undefined {
  const first = textAt(input, from);
  const end = skip(input, first, ' \t\n\0');
  const second = textAt(input, end);
  if (!input.slice(end, second).includes('\n')) return undefined;
  const isAlone = /[ \t]*(?:[\n\0]|[ \t]#)/y;
  isAlone.lastIndex = skip(input, second, ' \t\n\0');
  if (isAlone.test(input) || textAt(input, around) === first) return undefined;
  return new Rewrite(end, end, input[first] === '!' ? " ''" : ` ${NULL}`);
}

/** A block mapping cannot start on the line of the key whose value it is, not even behind an anchor or a tag. */
export function checkMappingStart(input: string, { from }: Range, isOnKeyLine: boolean, line: number): void {
  if (!isOnKeyLine || input[from - 1] !== ':') return;
  const lineStart = input.lastIndexOf('\n', from - 1) + 1;
  if (input.slice(lineStart, from - 1).trim() === '') return;
  throw new ReadError('InvalidYaml', line, 'a mapping cannot start on the line of its key');
}
