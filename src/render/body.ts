import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Slice } from '../concurrency/slice.ts';
import { freeBuffer } from '../free-buffer.ts';

/** Together they are read in a moment (0.1 ms), and manifests, which are alike, become a tenth of what they are, or less. */
const PACK_CHARACTERS = 16 * 1024;

/** Room for what comes out of the compression and goes in again, large enough to be memory of its own, which can be freed at once. */
const ROOM = { chunkSize: 32 * 1024 };

/** Lines of text, compressed together. */
class Pack {
  readonly #bytes: Uint8Array;

  constructor(lines: readonly string[]) {
    const packed = deflateRawSync(lines.join('\n'), ROOM);
    this.#bytes = new Uint8Array(packed);
    freeBuffer(packed);
  }

  lines(): string[] {
    const bytes = inflateRawSync(this.#bytes, ROOM);
    const lines = bytes.toString().split('\n');
    freeBuffer(bytes);
    return lines;
  }
}

/** Those that were read last: who reads a line mostly goes on to the next, and each kind is listed and compared on its own. */
const recent = new Map<Pack, readonly string[]>();
const RECENT = 16;

function linesOf(pack: Pack): readonly string[] {
  const known = recent.get(pack);
  if (known) return known;
  const lines = pack.lines();
  // A single one may be large.
  if (lines.length > 1) recent.set(pack, lines);
  for (const oldest of recent.keys()) {
    if (recent.size <= RECENT) break;
    recent.delete(oldest);
  }
  return lines;
}

/**
 * The JSON of a declared object. It is most of what is kept of one, and nobody reads it while the object is as declared: `pack`
 * makes it small. Immutable to whoever reads it.
 */
export class Body {
  #held: string | Pack;
  #line = 0;

  /** `json` without a line break, as JSON.stringify writes it. */
  constructor(json: string) {
    this.#held = json;
  }

  get text(): string {
    const held = this.#held;
    if (typeof held === 'string') return held;
    return linesOf(held)[this.#line]!;
  }

  /** The same text? Read only where these are two bodies. */
  equals(other: Body): boolean {
    return this === other || this.text === other.text;
  }

  /** Packs those that are not packed yet, the neighbours together. Rejects only when aborted. */
  static async pack(bodies: Iterable<Body>, signal: AbortSignal): Promise<void> {
    const slice = new Slice(signal);
    let next: Body[] = [];
    let characters = 0;
    for (const body of bodies) {
      const held = body.#held;
      if (typeof held !== 'string') continue;
      if (characters + held.length > PACK_CHARACTERS && next.length > 0) {
        Body.#together(next);
        [next, characters] = [[], 0];
        await slice.rest();
      }
      next.push(body);
      characters += held.length;
    }
    if (next.length > 0) Body.#together(next);
  }

  static #together(bodies: readonly Body[]): void {
    const pack = new Pack(bodies.map(({ text }) => text));
    for (const [line, body] of bodies.entries()) [body.#held, body.#line] = [pack, line];
  }
}
