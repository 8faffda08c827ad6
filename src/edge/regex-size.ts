import type { RE2JS } from 're2js';

/** The kinds of re2js's instructions that are treated apart. They are Go's regexp/syntax, which ports RE2's compiler. */
const ALT = 1;
const ALT_MATCH = 2;
const CAPTURE = 3;
const EMPTY_WIDTH = 4;
const MATCH = 6;
const NOP = 7;
const RUNE = 8;
const RUNE1 = 9;
const RUNE_ANY = 10;
const RUNE_ANY_NOT_NL = 11;
const BEGIN_TEXT = 4;
const END_TEXT = 8;
const MAX_RUNE = 0x10_ff_ff;

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: ArrayLike<number>;
}

/**
 * `RE2::ProgramSize()` of RE2 in C++, which Envoy holds against its limit. re2js counts something else: it steps over
 * whole characters, RE2 over UTF-8 bytes (`.` is 8 steps), and RE2 flattens its program into lists without forks (re2/prog.cc,
 * `Flatten`). This does the same to re2js's program. Compared with RE2 itself: equal for the patterns that routes are made
 * of; classes of characters beyond ASCII may be off by a few steps in a hundred.
 */
export function re2ProgramSize(regex: RE2JS): number {
  const { inst, start } = regex.re2Input.prog as { inst: readonly Instruction[]; start: number };
  const { first, saved } = afterPrefix(inst, start);
  const roots = rootsOf(inst, first);
  let size = FAIL_SIZE + LOOP_SIZE - saved;
  for (const root of roots) size += listSize(inst, root, roots);
  return size;
}

const FAIL_SIZE = 1;
/** The `.*?` in front of a program that may match anywhere. */
const LOOP_SIZE = 2;

/**
 * A leading `^` is no step and saves the loop; text right after it is compared by itself, and the program is what follows
 * it, loop included.
 */
function afterPrefix(inst: readonly Instruction[], start: number): { first: number; saved: number } {
  let at = start;
  while (inst[at]!.op === NOP || inst[at]!.op === CAPTURE) at = inst[at]!.out;
  if (inst[at]!.op !== EMPTY_WIDTH || (inst[at]!.arg & BEGIN_TEXT) === 0) return { first: start, saved: 0 };
  if (at !== start) return { first: start, saved: LOOP_SIZE + 1 };
  let first = inst[at]!.out;
  while (isLetter(inst, first)) first = inst[first]!.out;
  return { first, saved: first === inst[at]!.out ? LOOP_SIZE : 0 };
}

/** One character that is not repeated. */
function isLetter(inst: readonly Instruction[], at: number): boolean {
  const { op, out, runes } = inst[at]!;
  const repeats = isFork(inst[out]) && nextOf(inst[out]!).includes(at);
  return (op === RUNE1 || (op === RUNE && runes.length === 1)) && !repeats;
}

function isFork(instruction: Instruction | undefined): boolean {
  return instruction?.op === ALT || instruction?.op === ALT_MATCH;
}

/** RE2 has no steps for forks and jumps, nor for a `^` or `$` that the whole pattern is bound by. */
function isJump(instruction: Instruction | undefined): boolean {
  return isFork(instruction) || instruction?.op === NOP;
}

function nextOf(instruction: Instruction): number[] {
  return isFork(instruction) ? [instruction.out, instruction.arg] : [instruction.out];
}

/**
 * Where lists begin: at the start, behind each step, and at what several lists lead to, so that no list holds what another
 * one holds.
 */
function rootsOf(inst: readonly Instruction[], start: number): Set<number> {
  const roots = new Set([start]);
  const predecessors = new Map<number, number[]>();
  const seen = new Set<number>();
  const open = [start];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const instruction = inst[at]!;
    if (seen.has(at) || instruction.op === MATCH) continue;
    seen.add(at);
    for (const next of nextOf(instruction)) {
      if (!isJump(instruction)) roots.add(next);
      else if (!predecessors.get(next)?.push(at)) predecessors.set(next, [at]);
      open.push(next);
    }
  }
  for (const root of [...roots].sort((a, b) => b - a)) {
    const reachable = reach(inst, root, roots);
    for (const at of reachable) if (predecessors.get(at)?.some((from) => !reachable.has(from))) roots.add(at);
  }
  return roots;
}

/** What a list holds: up to the first steps, and up to where other lists begin. */
function reach(inst: readonly Instruction[], root: number, roots: ReadonlySet<number>): Set<number> {
  const reachable = new Set<number>();
  const open = [root];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (reachable.has(at)) continue;
    reachable.add(at);
    const instruction = inst[at]!;
    if ((at === root || !roots.has(at)) && isJump(instruction)) open.push(...nextOf(instruction));
  }
  return reachable;
}

function listSize(inst: readonly Instruction[], root: number, roots: ReadonlySet<number>): number {
  let size = 0;
  for (const at of reach(inst, root, roots)) {
    if (at !== root && roots.has(at)) size += 1;
    else if (!isJump(inst[at])) size += stepSize(inst, inst[at]!);
  }
  return size;
}

function stepSize(inst: readonly Instruction[], { op, out, arg, runes }: Instruction): number {
  if (op === EMPTY_WIDTH) return (arg & END_TEXT) !== 0 && inst[out]?.op === MATCH ? 0 : 1;
  if (op === RUNE_ANY) return byteSteps([0, MAX_RUNE]);
  if (op === RUNE_ANY_NOT_NL) return byteSteps([0, 9, 11, MAX_RUNE]);
  if (op === RUNE1 || (op === RUNE && runes.length === 1)) return byteSteps([runes[0]!, runes[0]!]);
  return op === RUNE ? byteSteps(runes) : 1;
}

/** The steps over bytes that a class of characters takes: `from, to, from, to, …`. Equal endings are shared, and so are equal first bytes. */
function byteSteps(ranges: ArrayLike<number>): number {
  const steps = new Set<string>();
  const folds = foldsAscii(ranges);
  for (let at = 0; at < ranges.length; at += 2) {
    if (folds && ranges[at]! >= 0x41 && ranges[at + 1]! <= 0x5a) continue;
    for (const bytes of utf8Ranges(ranges[at]!, ranges[at + 1]!)) {
      steps.add(bytes.length === 1 ? `first ${bytes[0]}` : `first ${bytes[0]} of ${bytes.length}`);
      for (let from = 1; from < bytes.length; from++) steps.add(bytes.slice(from).join(' '));
    }
  }
  return steps.size;
}

/** Has it every ASCII letter in both cases or in none? Then small letters stand for both. */
function foldsAscii(ranges: ArrayLike<number>): boolean {
  const has = (rune: number) => {
    for (let at = 0; at < ranges.length; at += 2) if (ranges[at]! <= rune && rune <= ranges[at + 1]!) return true;
    return false;
  };
  for (let upper = 0x41; upper <= 0x5a; upper++) if (has(upper) !== has(upper + 0x20)) return false;
  return true;
}

const CONTINUATION = '80-bf';

/** Splits a range of characters into sequences of ranges of bytes, as RE2 does (re2/compile.cc, `AddRuneRangeUTF8`). */
function utf8Ranges(low: number, high: number): string[][] {
  if (low > high) return [];
  if (low === 0x80 && high === MAX_RUNE) {
    return ['c2-df', 'e0-ef', 'f0-f4'].map((lead, at) => [lead, ...Array<string>(at + 1).fill(CONTINUATION)]);
  }
  for (const last of [0x7f, 0x7_ff, 0xff_ff]) {
    if (low <= last && last < high) return [...utf8Ranges(low, last), ...utf8Ranges(last + 1, high)];
  }
  if (high <= 0x7f) return [[`${low}-${high}`]];
  for (const bits of [6, 12, 18]) {
    const mask = (1 << bits) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    if ((low & mask) !== 0) return [...utf8Ranges(low, low | mask), ...utf8Ranges((low | mask) + 1, high)];
    if ((high & mask) !== mask) return [...utf8Ranges(low, (high & ~mask) - 1), ...utf8Ranges(high & ~mask, high)];
  }
  const [from, to] = [utf8(low), utf8(high)];
  return [from.map((byte, at) => `${byte.toString(16)}-${to[at]!.toString(16)}`)];
}

function utf8(rune: number): number[] {
  return [...Buffer.from(String.fromCodePoint(rune))];
}
