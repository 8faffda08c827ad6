import type { Range } from './strict.ts';

/** Text in which blanks may be content: of plain text, blanks at the start of a line are not. */
export interface Shelter extends Range {
  isPlain: boolean;
}

const DASHES = /^ *(?:[-?:] +)*[-?:] *$/;

/**
 * The first tab that kubectl refuses although js-yaml does not: in a blank or comment line, or between a dash and its entry.
 * After unquoted text kubectl takes tabs in blank lines for a part of it, except in the first column.
 */
export function misplacedTab(text: string, shelters: readonly Shelter[]): number | undefined {
  const sheltered = new Shelters(text, shelters);
  for (let at = text.indexOf('\t'); at >= 0;) {
    const lineStart = text.lastIndexOf('\n', at) + 1;
    const lineEnd = text.indexOf('\n', at);
    const line = text.slice(lineStart, at);
    const lead = line.slice(line.lastIndexOf('\r') + 1);
    const rest = text.slice(at, lineEnd < 0 ? text.length : lineEnd);
    const isSuspect = lead.trim() === '' ? /^[ \t\r]*(?:#|$)/.test(rest) : DASHES.test(lead);
    if (isSuspect && !sheltered.covers(at, lead !== '')) return at;
    at = lineEnd < 0 ? -1 : text.indexOf('\t', lineEnd);
  }
  return undefined;
}

/** Asked for ascending offsets, so that many tabs and many shelters cost one pass. */
class Shelters {
  readonly #text: string;
  readonly #inOrder: Shelter[];
  #next = 0;
  /** How far quoted and block text and flow collections reach that start before the offset. */
  #reach = 0;
  #plain: Range | undefined;

  constructor(text: string, shelters: readonly Shelter[]) {
    this.#text = text;
    this.#inOrder = shelters.toSorted((a, b) => a.from - b.from);
  }

  covers(at: number, isIndented: boolean): boolean {
    for (; this.#next < this.#inOrder.length && this.#inOrder[this.#next]!.from < at; this.#next++) {
      const { from, to, isPlain } = this.#inOrder[this.#next]!;
      if (isPlain) this.#plain = { from, to };
      else this.#reach = Math.max(this.#reach, to);
    }
    if (at < this.#reach) return true;
    if (!isIndented || !this.#plain) return false;
    if (at > this.#plain.to && this.#text.slice(this.#plain.to, at).trim() !== '') return false;
    // Blank so far: the next question starts here.
    this.#plain.to = Math.max(this.#plain.to, at);
    return true;
  }
}
