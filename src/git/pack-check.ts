import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { gitError } from './errors.ts';
import { limitExceeded, MAX_DELTA_BYTES, MAX_DELTA_DEPTH, MAX_OBJECT_BYTES } from './limits.ts';
import type { GitLimits } from './remote.ts';

/**
 * Looks through a pack before the library unpacks it. The library inflates whatever it is given, leaves out what it cannot
 * resolve and takes a short pack for a small one; so here every size is compared with what the pack declares, every
 * difference is added up without building it, and the checksum must be right. Returns the number of objects.
 *
 * `pause` is awaited between objects: it gives other work its turn and throws when the caller has gone.
 */
export async function checkPack(
  pack: Buffer,
  limits: Pick<GitLimits, 'objectCount'>,
  pause: () => Promise<void> | undefined,
): Promise<number> {
  const end = pack.length - 20;
  if (end < 12 || pack.toString('latin1', 0, 4) !== 'PACK' || pack.readUInt32BE(4) !== 2) throw broken('has no header');
  if (!createHash('sha1').update(pack.subarray(0, end)).digest().equals(pack.subarray(end))) {
    throw broken('does not match its checksum');
  }
  const count = pack.readUInt32BE(8);
  if (count > limits.objectCount) {
    throw limitExceeded('objectCount', `the pack holds ${count} objects, more than ${limits.objectCount}`);
  }
  const depths = new Map<number, number>();
  let at = 12;
  let unpacked = 0;
  for (let index = 0; index < count; index += 1) {
    await pause();
    const header = readHeader(pack, at, end);
    const depth = depthOf(header, depths);
    depths.set(at, depth);
    if (header.size > MAX_OBJECT_BYTES) throw tooLarge(header.size);
    const { content, used } = inflate(pack.subarray(header.start, end), header.size);
    if (header.type >= OFFSET_DELTA) {
      unpacked += deltaSize(content);
      if (unpacked > MAX_DELTA_BYTES) throw limitExceeded('unpacked bytes', 'the pack unpacks to more than it should');
    }
    at = header.start + used;
  }
  if (at !== end) throw broken('holds more than its objects');
  return count;
}

/** Types of entries that are differences: from an earlier entry of the pack, or from an object by its id. */
export const OFFSET_DELTA = 6;
export const OBJECT_DELTA = 7;

interface EntryHeader {
  type: number;
  size: number;
  /** Where the compressed bytes begin; for a difference by object id that id is the 20 bytes before. */
  start: number;
  /** Where the entry begins that this one differs from; only for a difference by offset. */
  base?: number;
}

/** Throws GitProtocolError. Source: gitformat-pack(5), "pack-*.pack files have the following format". */
export function readHeader(pack: Buffer, from: number, end: number): EntryHeader {
  let at = from;
  const next = (): number => {
    if (at >= end) throw broken('ends in the middle of an object');
    return pack[at++] ?? 0;
  };
  let byte = next();
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let scale = 16; byte & 0x80; scale *= 128) {
    byte = next();
    size += (byte & 0x7f) * scale;
    if (size > Number.MAX_SAFE_INTEGER) throw tooLarge(size);
  }
  if (type === 0 || type === 5) throw broken('holds an object of unknown type');
  if (type === OBJECT_DELTA) return { type, size, start: at + 20 };
  if (type !== OFFSET_DELTA) return { type, size, start: at };
  byte = next();
  let distance = byte & 0x7f;
  while (byte & 0x80) {
    byte = next();
    distance = (distance + 1) * 128 + (byte & 0x7f);
    if (distance > from) throw broken('refers to an object outside of it');
  }
  return { type, size, start: at, base: from - distance };
}

/** A chain by object id cannot be followed before the objects have ids; the library reads those one by one. */
function depthOf({ type, base }: EntryHeader, depths: ReadonlyMap<number, number>): number {
  if (type === OBJECT_DELTA) return 1;
  if (base === undefined) return 0;
  const below = depths.get(base);
  if (below === undefined) throw broken('refers to an object that is not in it');
  if (below >= MAX_DELTA_DEPTH)
    throw limitExceeded('delta depth', `the pack chains more than ${MAX_DELTA_DEPTH} differences`);
  return below + 1;
}

function inflate(compressed: Uint8Array, size: number): { content: Buffer; used: number } {
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // With `info` the answer also says how many bytes of the input belonged to this object.
    result = inflateSync(compressed, { maxOutputLength: Math.max(size, 1), info: true }) as unknown as typeof result;
  } catch (error) {
    throw broken('holds an object that cannot be inflated to its declared size', error);
  }
  if (result.buffer.length !== size) throw broken('holds an object of another size than it declares');
  return { content: result.buffer, used: result.engine.bytesWritten };
}

/** What a difference unpacks to, from adding up its instructions. Source: gitformat-pack(5), "Deltified representation". */
function deltaSize(delta: Buffer): number {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = delta[at++];
      if (byte === undefined || scale > 2 ** 42) throw broken('holds a broken difference');
      value += (byte & 0x7f) * scale;
      if (!(byte & 0x80)) return value;
    }
  };
  varint();
  const declared = varint();
  if (declared > MAX_OBJECT_BYTES) throw tooLarge(declared);
  let size = 0;
  while (at < delta.length) {
    const instruction = delta[at++] ?? 0;
    if (instruction === 0) throw broken('holds a broken difference');
    if (instruction & 0x80) {
      at += bitCount(instruction & 15);
      let length = 0;
      for (let bit = 0; bit < 3; bit += 1) if (instruction & (16 << bit)) length |= (delta[at++] ?? 0) << (8 * bit);
      size += length === 0 ? 0x10000 : length;
    } else {
      size += instruction;
      at += instruction;
    }
  }
  if (size !== declared || at !== delta.length) throw broken('holds a broken difference');
  return size;
}

function bitCount(bits: number): number {
  return (bits & 1) + ((bits >> 1) & 1) + ((bits >> 2) & 1) + ((bits >> 3) & 1);
}

function broken(what: string, cause?: unknown): Error {
  return gitError('GitProtocolError', `the pack of the Git server ${what}`, { cause });
}

function tooLarge(size: number): Error {
  return limitExceeded(
    'object bytes',
    `the repository holds an object of ${size} bytes, more than ${MAX_OBJECT_BYTES}`,
  );
}
