import { createHash } from 'node:crypto';

const MAGIC = 0xff744f63;
const FANOUT = 8;
const NAMES = FANOUT + 256 * 4;
const LARGE = 0x80000000;

export interface IndexedObject {
  oid: string;
  at: number;
  crc: number;
}

/** The `.idx` file of a pack, version 2: git's own tools read it too. Source: gitformat-pack(5). */
export function writeIndex(objects: readonly IndexedObject[], packChecksum: Buffer): Buffer {
  const sorted = objects.toSorted((a, b) => (a.oid < b.oid ? -1 : 1));
  const large = sorted.filter(({ at }) => at >= LARGE);
  const index = Buffer.alloc(NAMES + sorted.length * 28 + large.length * 8 + 40);
  index.writeUInt32BE(MAGIC, 0);
  index.writeUInt32BE(2, 4);
  const crcs = NAMES + sorted.length * 20;
  const offsets = crcs + sorted.length * 4;
  let largeCount = 0;
  for (const [number, { oid, at, crc }] of sorted.entries()) {
    index.write(oid, NAMES + number * 20, 'hex');
    index.writeUInt32BE(crc, crcs + number * 4);
    if (at >= LARGE) {
      index.writeUInt32BE(LARGE + largeCount, offsets + number * 4);
      index.writeBigUInt64BE(BigInt(at), offsets + sorted.length * 4 + largeCount * 8);
      largeCount += 1;
    } else {
      index.writeUInt32BE(at, offsets + number * 4);
    }
    // How many names begin with at most this byte.
    index.writeUInt32BE(number + 1, FANOUT + Number.parseInt(oid.slice(0, 2), 16) * 4);
  }
  for (let byte = 1; byte < 256; byte += 1) {
    const here = index.readUInt32BE(FANOUT + byte * 4);
    if (here === 0) index.writeUInt32BE(index.readUInt32BE(FANOUT + (byte - 1) * 4), FANOUT + byte * 4);
  }
  packChecksum.copy(index, index.length - 40);
  createHash('sha1')
    .update(index.subarray(0, -20))
    .digest()
    .copy(index, index.length - 20);
  return index;
}

/** Finds objects in an index. The constructor throws when it is not whole. */
export class PackIndex {
  readonly #bytes: Buffer;
  readonly count: number;

  constructor(bytes: Buffer) {
    const checksum = createHash('sha1').update(bytes.subarray(0, -20)).digest();
    if (bytes.length < NAMES + 40 || !checksum.equals(bytes.subarray(-20))) throw new Error('a pack index is damaged');
    this.#bytes = bytes;
    this.count = bytes.readUInt32BE(NAMES - 4);
  }

  /** The offset of the object in the pack, or undefined. */
  find(oid: string): number | undefined {
    const wanted = Buffer.from(oid, 'hex');
    const first = wanted[0] ?? 0;
    let low = first === 0 ? 0 : this.#bytes.readUInt32BE(FANOUT + (first - 1) * 4);
    let high = this.#bytes.readUInt32BE(FANOUT + first * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = NAMES + middle * 20;
      const order = wanted.compare(this.#bytes, at, at + 20);
      if (order === 0) return this.#offset(middle);
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    return undefined;
  }

  #offset(number: number): number {
    const offsets = NAMES + this.count * 24;
    const at = this.#bytes.readUInt32BE(offsets + number * 4);
    if (at < LARGE) return at;
    return Number(this.#bytes.readBigUInt64BE(offsets + this.count * 4 + (at - LARGE) * 8));
  }
}
