import { RE2JS, RE2JSException } from 're2js';
import { re2ProgramSize } from './regex-size.ts';

/** What Envoy will say of a regular expression, without Envoy. */
export type Regex =
  /** `programSize`: steps of RE2's program; Envoy refuses more than its limit, see `re2ProgramSize`. */
  | { readonly kind: 'valid'; readonly programSize: number }
  /** Not RE2: Envoy refuses the configuration that holds it. */
  | { readonly kind: 'invalid'; readonly problem: string }
  /** Not looked at, because that alone would take too long: it may have so many steps. */
  | { readonly kind: 'unmeasured'; readonly steps: number };

/**
 * RE2 runs in linear time, but `(a{100}){10}…` compiles to as many steps as it says: at 10,000 a compilation takes some
 * 10 ms. Emissary's limit is 200 unless the Module raises `regex_max_size`.
 */
const MAX_STEPS = 10_000;

// Objects come again and again unchanged, so what was found out about a text is kept: of many texts what they are, of those few
// that others are matched with the compiled program as well (about 15 KB each). Emptied when full, so that it never grows for ever.
const verdicts = new Map<string, Regex>();
const VERDICTS_AT_MOST = 20_000;
const programs = new Map<string, RE2JS>();
const PROGRAMS_AT_MOST = 1_000;

/** Reads a regular expression as RE2 does (`re2js`, without its extensions). Never throws, never takes longer than some milliseconds. */
export function readRegex(text: string): Regex {
  const known = verdicts.get(text);
  if (known) return known;
  if (verdicts.size === VERDICTS_AT_MOST) verdicts.clear();
  const regex = read(text);
  verdicts.set(text, regex);
  return regex;
}

/**
 * Does a regular expression match the whole text? Envoy's for paths and values always do (RE2::FullMatch). Not when it is
 * none, or too large to be looked at.
 */
export function matchesWhole(regex: string, text: string): boolean {
  return readRegex(regex).kind === 'valid' && programOf(regex).testExact(text);
}

function read(text: string): Regex {
  const steps = stepsAtMost(text);
  if (steps > MAX_STEPS) return { kind: 'unmeasured', steps };
  try {
    return { kind: 'valid', programSize: re2ProgramSize(RE2JS.compile(text)) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { kind: 'invalid', problem: error.message.replace(/^error parsing regexp: /, '') };
  }
}

function programOf(text: string): RE2JS {
  const known = programs.get(text);
  if (known) return known;
  if (programs.size === PROGRAMS_AT_MOST) programs.clear();
  const program = RE2JS.compile(text);
  programs.set(text, program);
  return program;
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
