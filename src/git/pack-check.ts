import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { limitExceeded, MAX_CHAIN_BYTES, MAX_DELTA_DEPTH } from './limits.ts';
import { brokenPack, type PackEntry, type PackFile } from './pack-file.ts';
import { writeIndex, type IndexedObject } from './pack-index.ts';
import { objectId, PackReader, type StoredObject } from './pack-reader.ts';
import type { GitLimits } from './remote.ts';

/** Awaited between objects: it gives other work its turn, and throws when the caller has gone. */
export type Pause = () => Promise<void> | undefined;

export interface CheckedPack {
  objects: number;
  /** The content of the `.idx` file. */
  index: Buffer;
  checksum: Buffer;
}

const HASH_CHUNK = 1024 * 1024;

/**
 * Checks every byte of a pack that a server sent, and makes its index: the checksum, the number of objects, each declared
 * size, each difference. Memory stays small whatever the pack holds. `external` finds objects that a thin pack builds upon.
 * Throws GitProtocolError, GitLimitExceeded.
 */
export async function checkPack(
  file: PackFile,
  limits: Pick<GitLimits, 'objectCount'> & { chainBytes?: number },
  external: (oid: string) => StoredObject | undefined,
  pause: Pause,
): Promise<CheckedPack> {
  const checksum = await checkSum(file, pause);
  const count = file.bytes(8, 4).readUInt32BE();
  if (count > limits.objectCount) {
    throw limitExceeded('objectCount', `the pack holds ${count} objects, more than ${limits.objectCount}`);
  }
  const check = new PackCheck(file, external, limits.chainBytes ?? MAX_CHAIN_BYTES);
  let at = 12;
  for (let number = 0; number < count; number += 1) {
    await pause();
    at = check.take(at);
  }
  if (at !== file.bodyBytes) throw brokenPack('holds more than its objects');
  await check.resolve(pause);
  return { objects: count, index: writeIndex([...check.objects.values()], checksum), checksum };
}

async function checkSum(file: PackFile, pause: Pause): Promise<Buffer> {
  const head = file.bytes(0, 12);
  if (file.bodyBytes < 12 || head.toString('latin1', 0, 4) !== 'PACK' || head.readUInt32BE(4) !== 2) {
    throw brokenPack('has no header');
  }
  const hash = createHash('sha1');
  for (let at = 0; at < file.bodyBytes; at += HASH_CHUNK) {
    await pause();
    hash.update(file.bytes(at, Math.min(HASH_CHUNK, file.bodyBytes - at)));
  }
  const checksum = hash.digest();
  if (!checksum.equals(file.bytes(file.bodyBytes, 20))) throw brokenPack('does not match its checksum');
  return checksum;
}

/** A difference that waits for its base to be known. */
interface Waiting {
  at: number;
  crc: number;
  base: number | string;
}

/** What building an object costs: `bytes` is the sum of all objects on the way to it. */
interface Chain {
  depth: number;
  bytes: number;
}

class PackCheck {
  readonly objects = new Map<string, IndexedObject>();
  readonly #file: PackFile;
  readonly #chainBytes: number;
  readonly #reader: PackReader;
  readonly #external: (oid: string) => StoredObject | undefined;
  readonly #chains = new Map<number, Chain>();
  readonly #offsets = new Set<number>();
  #waiting: Waiting[] = [];

  constructor(file: PackFile, external: (oid: string) => StoredObject | undefined, chainBytes: number) {
    this.#file = file;
    this.#chainBytes = chainBytes;
    this.#external = external;
    this.#reader = new PackReader(file, (oid) => this.#base(oid));
  }

  /** Takes in one entry; returns where the next one begins. */
  take(at: number): number {
    const { end, kind, content }: PackEntry = this.#file.entry(at);
    const crc = this.#crc(at, end);
    this.#offsets.add(at);
    if (kind.is === 'object') {
      this.#add({ type: kind.type, content }, at, crc, { depth: 0, bytes: content.length });
    } else {
      if (kind.is === 'offset-delta' && !this.#offsets.has(kind.base)) {
        throw brokenPack('refers to an object that is not in it');
      }
      this.#waiting.push({ at, crc, base: kind.base });
    }
    return end;
  }

  /** Builds the differences, as often as that makes further ones possible: a base may come after what builds upon it. */
  async resolve(pause: Pause): Promise<void> {
    while (this.#waiting.length > 0) {
      const before = this.#waiting;
      this.#waiting = [];
      for (const waiting of before) {
        await pause();
        if (!this.#build(waiting)) this.#waiting.push(waiting);
      }
      if (this.#waiting.length === before.length) throw brokenPack('builds on objects that we lack');
    }
  }

  #build({ at, crc, base }: Waiting): boolean {
    const below = this.#chainOf(base);
    if (!below) return false;
    if (below.depth >= MAX_DELTA_DEPTH) {
      throw limitExceeded('delta depth', `the pack chains more than ${MAX_DELTA_DEPTH} differences`);
    }
    const object = this.#reader.read(at);
    if (!object) return false;
    const chain = { depth: below.depth + 1, bytes: below.bytes + object.content.length };
    if (chain.bytes > this.#chainBytes) {
      throw limitExceeded('delta bytes', `the pack chains differences of more than ${this.#chainBytes} bytes`);
    }
    this.#add(object, at, crc, chain);
    return true;
  }

  #chainOf(base: number | string): Chain | undefined {
    if (typeof base === 'number') return this.#chains.get(base);
    const here = this.objects.get(base);
    if (here) return this.#chains.get(here.at);
    const outside = this.#external(base);
    return outside && { depth: 0, bytes: outside.content.length };
  }

  #base(oid: string): StoredObject | undefined {
    const here = this.objects.get(oid);
    return here ? this.#reader.read(here.at) : this.#external(oid);
  }

  #add(object: StoredObject, at: number, crc: number, chain: Chain): void {
    const oid = objectId(object);
    this.#chains.set(at, chain);
    this.objects.set(oid, { oid, at, crc });
  }

  #crc(at: number, end: number): number {
    return crc32(this.#file.bytes(at, end - at));
  }
}
