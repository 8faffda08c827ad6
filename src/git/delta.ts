import { MAX_OBJECT_BYTES } from './limits.ts';
import { brokenPack, objectTooLarge } from './pack-file.ts';

/**
 * Builds an object from another one and the instructions that lead from it. What the instructions declare is checked before
 * memory is taken, and is never exceeded. Source: gitformat-pack(5), "Deltified representation".
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Buffer {
  const reader = new DeltaReader(delta);
  if (reader.varint() !== base.length) throw brokenPack('holds a difference from another object than it says');
  const size = reader.varint();
  if (size > MAX_OBJECT_BYTES) throw objectTooLarge(size);
  const target = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (reader.hasMore()) {
    const piece = reader.piece(base);
    if (at + piece.length > size) throw brokenPack('holds a difference that makes more than it says');
    target.set(piece, at);
    at += piece.length;
  }
  if (at !== size) throw brokenPack('holds a difference that makes less than it says');
  return target;
}

class DeltaReader {
  readonly #delta: Uint8Array;
  #at = 0;

  constructor(delta: Uint8Array) {
    this.#delta = delta;
  }

  hasMore(): boolean {
    return this.#at < this.#delta.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 42; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (!(byte & 0x80)) return value;
    }
    throw brokenPack('holds a broken difference');
  }

  /** What the next instruction adds: a range of the base, or bytes of its own. */
  piece(base: Uint8Array): Uint8Array {
    const instruction = this.#byte();
    if (instruction & 0x80) {
      const offset = this.#number(instruction, 4);
      const length = this.#number(instruction >> 4, 3) || 0x10000;
      if (offset + length > base.length) throw brokenPack('holds a difference that copies what is not there');
      return base.subarray(offset, offset + length);
    }
    const own = this.#delta.subarray(this.#at, this.#at + instruction);
    if (instruction === 0 || own.length < instruction) throw brokenPack('holds a broken difference');
    this.#at += instruction;
    return own;
  }

  /** A little-endian number of which only the bytes are there that `bits` names. */
  #number(bits: number, bytes: number): number {
    let value = 0;
    for (let index = 0; index < bytes; index += 1) if (bits & (1 << index)) value += this.#byte() * 256 ** index;
    return value;
  }

  #byte(): number {
    const byte = this.#delta[this.#at++];
    if (byte === undefined) throw brokenPack('holds a difference that is cut off');
    return byte;
  }
}
