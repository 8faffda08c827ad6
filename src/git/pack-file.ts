import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { gitError } from './errors.ts';
import { limitExceeded, MAX_OBJECT_BYTES } from './limits.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** One object of a pack as it is stored: whole, or as the difference from another one. Source: gitformat-pack(5). */
export interface PackEntry {
  at: number;
  /** Where the next entry begins. */
  end: number;
  /** The object, or the instructions of the difference. */
  content: Buffer;
  kind:
    | { is: 'object'; type: ObjectType }
    /** `base` is the offset of an earlier entry of the same pack. */
    | { is: 'offset-delta'; base: number }
    /** `base` is an object id; thin packs name objects that lie elsewhere. */
    | { is: 'object-delta'; base: string };
}

const TYPES: Record<number, ObjectType> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFFSET_DELTA = 6;
const OBJECT_DELTA = 7;
const LONGEST_HEADER = 40;
const WINDOW_BYTES = 64 * 1024;

/** A pack on disk, read piece by piece: its size never matters for memory. Synchronous: it lives in the worker. */
export class PackFile {
  readonly #file: number;
  /** Without the checksum at the end. */
  readonly bodyBytes: number;
  #window: Buffer;
  #windowAt = 0;
  #windowBytes = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    const { size } = fstatSync(this.#file);
    this.bodyBytes = size - 20;
    this.#window = Buffer.allocUnsafeSlow(Math.min(size, WINDOW_BYTES));
  }

  close(): void {
    closeSync(this.#file);
  }

  /** At most `length` bytes from `at`; fewer at the end of the file. Valid until the next call. */
  bytes(at: number, length: number): Buffer {
    const from = at - this.#windowAt;
    if (from >= 0 && from + length <= this.#windowBytes) return this.#window.subarray(from, from + length);
    // It grows with what it is asked for: a large object is read once to inflate it and once more for its checksum.
    if (length > this.#window.length) this.#window = Buffer.allocUnsafeSlow(length);
    this.#windowAt = at;
    this.#windowBytes = readSync(this.#file, this.#window, 0, this.#window.length, at);
    return this.#window.subarray(0, Math.min(length, this.#windowBytes));
  }

  /**
   * The entry at an offset. Throws GitProtocolError when it is not sound, GitLimitExceeded when it declares too much: more
   * than it declares is never inflated.
   */
  entry(at: number): PackEntry {
    const { type, size, base, start } = this.#header(at);
    if (size > MAX_OBJECT_BYTES) throw objectTooLarge(size);
    const { content, used } = this.#inflate(start, size);
    const entry = { at, end: start + used, content };
    if (type === OFFSET_DELTA) return { ...entry, kind: { is: 'offset-delta', base: base as number } };
    if (type === OBJECT_DELTA) return { ...entry, kind: { is: 'object-delta', base: base as string } };
    const known = TYPES[type];
    if (known === undefined) throw brokenPack('holds an object of unknown type');
    return { ...entry, kind: { is: 'object', type: known } };
  }

  #header(from: number): { type: number; size: number; base?: number | string; start: number } {
    const bytes = this.bytes(from, Math.max(0, Math.min(LONGEST_HEADER, this.bodyBytes - from)));
    let at = 0;
    const next = (): number => {
      const byte = bytes[at++];
      if (byte === undefined) throw brokenPack('ends in the middle of an object');
      return byte;
    };
    let byte = next();
    const type = (byte >> 4) & 7;
    let size = byte & 15;
    for (let scale = 16; byte & 0x80; scale *= 128) {
      byte = next();
      size += (byte & 0x7f) * scale;
      if (size > Number.MAX_SAFE_INTEGER) throw objectTooLarge(size);
    }
    if (type === OBJECT_DELTA) {
      if (at + 20 > bytes.length) throw brokenPack('ends in the middle of an object');
      return { type, size, base: bytes.toString('hex', at, at + 20), start: from + at + 20 };
    }
    if (type !== OFFSET_DELTA) return { type, size, start: from + at };
    byte = next();
    let distance = byte & 0x7f;
    while (byte & 0x80) {
      byte = next();
      distance = (distance + 1) * 128 + (byte & 0x7f);
      if (distance > from) throw brokenPack('refers to an object outside of it');
    }
    return { type, size, base: from - distance, start: from + at };
  }

  #inflate(start: number, size: number): { content: Buffer; used: number } {
    const rest = Math.max(0, this.bodyBytes - start);
    // Deflate adds little to what it cannot compress; whoever splits it into more blocks than sensible gets more room.
    for (let room = size + (size >> 8) + 1024; ; room *= 4) {
      try {
        return inflate(this.bytes(start, Math.min(room, rest)), size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR' || room >= rest) {
          throw brokenPack('holds an object that cannot be inflated to its declared size', error);
        }
      }
    }
  }
}

function inflate(compressed: Uint8Array, size: number): { content: Buffer; used: number } {
  // With `info` the answer also says how many bytes of the input belonged to this object. One byte more than declared, so
  // that a single piece of memory does for all that is declared.
  const options = { maxOutputLength: size + 1, chunkSize: Math.max(size + 1, 64), info: true };
  const { buffer, engine } = inflateSync(compressed, options) as unknown as Inflated;
  if (buffer.length !== size) throw new Error('another size than declared');
  return { content: buffer, used: engine.bytesWritten };
}

interface Inflated {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

export function brokenPack(what: string, cause?: unknown): Error {
  return gitError('GitProtocolError', `the pack of the Git server ${what}`, { cause });
}

export function objectTooLarge(size: number): Error {
  return limitExceeded(
    'object bytes',
    `the repository holds an object of ${size} bytes, more than ${MAX_OBJECT_BYTES}`,
  );
}
