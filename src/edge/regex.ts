import { RE2JS, RE2JSException } from 're2js';
import { re2ProgramSize } from './regex-size.ts';

/** What Envoy will say of a regular expression, without Envoy. */
export type Regex =
  | {
      readonly kind: 'valid';
      /** Steps of RE2's program; Envoy refuses more than its limit, see `re2ProgramSize`. */
      readonly programSize: number;
      /** Does it match the whole text? Envoy's regular expressions for paths and values always do (RE2::FullMatch). */
      readonly matches: (text: string) => boolean;
    }
  /** Not RE2: Envoy refuses the configuration that holds it. */
  | { readonly kind: 'invalid'; readonly problem: string }
  /** Not looked at, because that alone would take too long: it may have so many steps. */
  | { readonly kind: 'unmeasured'; readonly steps: number };

/**
 * RE2 runs in linear time, but `(a{100}){10}…` compiles to as many steps as it says: at 10,000 a compilation takes some
 * 10 ms. Emissary's limit is 200 unless the Module raises `regex_max_size`.
 */
const MAX_STEPS = 10_000;

/** Texts → what they are. Objects come again and again unchanged; emptied when full, so that it never grows for ever. */
const known = new Map<string, Regex>();
const KNOWN_AT_MOST = 5_000;

/** Reads a regular expression as RE2 does (`re2js`, without its extensions). Never throws, never takes longer than some milliseconds. */
export function readRegex(text: string): Regex {
  const before = known.get(text);
  if (before) return before;
  if (known.size === KNOWN_AT_MOST) known.clear();
  const regex = read(text);
  known.set(text, regex);
  return regex;
}

function read(text: string): Regex {
  const steps = stepsAtMost(text);
  if (steps > MAX_STEPS) return { kind: 'unmeasured', steps };
  try {
    const compiled = RE2JS.compile(text);
    const matches = (whole: string) => compiled.testExact(whole);
    return { kind: 'valid', programSize: re2ProgramSize(compiled), matches };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { kind: 'invalid', problem: error.message.replace(/^error parsing regexp: /, '') };
  }
}

const COUNT = /\{(\d{1,7})(?:,(\d{0,7}))?\}/y;

/** More steps than re2js makes of it: one for each character, multiplied by the counted repetitions around it. */
function stepsAtMost(text: string): number {
  const outer: number[] = [];
  let size = 0;
  let atom = 0;
  for (let at = 0; at < text.length; at++) {
    COUNT.lastIndex = at;
    const count = COUNT.exec(text);
    if (count) {
      const times = Math.max(1, Number(count[1]), Number(count[2] ?? 0));
      size += atom * (times - 1);
      atom *= times;
      at = COUNT.lastIndex - 1;
    } else if (text[at] === '(') {
      outer.push(size + 1);
      size = 0;
    } else {
      if (text[at] === ')') {
        atom = size + 2;
        size = (outer.pop() ?? 0) + atom;
      } else {
        size += 1;
        atom = 1;
      }
      if (text[at] === '\\') at++;
    }
  }
  return outer.reduce((sum, inner) => sum + inner, size);
}

/** Does a regular expression match the whole text? Not when it is none, or too large to be looked at. */
export function matchesWhole(regex: string, text: string): boolean {
  const read = readRegex(regex);
  return read.kind === 'valid' && read.matches(text);
}
