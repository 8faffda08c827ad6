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
  while (reader.hasMore()) at = reader.piece(base, target, at);
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

  /** Carries out the next instruction: a range of the base, or bytes of its own. Returns where the one after it adds. */
  piece(base: Uint8Array, target: Uint8Array, at: number): number {
    const instruction = this.#byte();
    if (instruction & 0x80) {
      const offset = this.#number(instruction, 4);
      const length = this.#number(instruction >> 4, 3) || 0x10000;
      if (offset + length > base.length) throw brokenPack('holds a difference that copies what is not there');
      return copy(base, offset, length, target, at);
    }
    if (instruction === 0 || this.#at + instruction > this.#delta.length) throw brokenPack('holds a broken difference');
    const end = copy(this.#delta, this.#at, instruction, target, at);
    this.#at += instruction;
    return end;
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

/** From here on one call for all is faster than byte by byte. */
const MANY_BYTES = 64;

/** A hostile difference has a hundred million instructions for a byte each: a view for each of them takes half a minute. */
function copy(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): number {
  const end = at + length;
  if (end > to.length) throw brokenPack('holds a difference that makes more than it says');
  if (length >= MANY_BYTES) to.set(from.subarray(start, start + length), at);
  else for (let place = at; place < end; place += 1) to[place] = from[start + place - at]!;
  return end;
}
