import type { Range } from './strict.ts';

/** Text in which blanks may be content. */
export interface Shelter extends Range {
  /** Of unquoted text alone: the first column in which a tab may stand at the start of a line. */
  plainIndent: number | undefined;
}

const DASHES = /^ *(?:[-?:] +)*[-?:] *$/;

/**
 * The first tab that kubectl refuses although js-yaml does not: at the start of a line, or between a dash and its entry.
 * After unquoted text, inside brackets too, kubectl takes tabs in blank lines for a part of it, if they are indented enough.
 */
export function misplacedTab(text: string, shelters: readonly Shelter[]): number | undefined {
  const sheltered = new Shelters(text, shelters);
  for (let at = text.indexOf('\t'); at >= 0;) {
    const lineStart = text.lastIndexOf('\n', at) + 1;
    const lineEnd = text.indexOf('\n', at);
    const lead = text.slice(lineStart, at);
    const isSuspect = lead.trim() === '' || DASHES.test(lead);
    if (isSuspect && !sheltered.covers(at, lead.length)) return at;
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
  #plain: { to: number; indent: number } | undefined;

  constructor(text: string, shelters: readonly Shelter[]) {
    this.#text = text;
    this.#inOrder = shelters.toSorted((a, b) => a.from - b.from);
  }

  covers(at: number, column: number): boolean {
    for (; this.#next < this.#inOrder.length && this.#inOrder[this.#next]!.from < at; this.#next++) {
      const { to, plainIndent } = this.#inOrder[this.#next]!;
      if (plainIndent !== undefined) this.#plain = { to, indent: plainIndent };
      else this.#reach = Math.max(this.#reach, to);
    }
    if (this.#plain && at > this.#plain.to) {
      const isBlankSoFar = this.#text.slice(this.#plain.to, at).trim() === '';
      // The next question starts here.
      this.#plain = isBlankSoFar ? { to: at, indent: this.#plain.indent } : undefined;
    }
    if (!this.#plain) return at < this.#reach;
    return column >= this.#plain.indent;
  }
}
