import { createHash, hash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Turnstile } from '../concurrency/turnstile.ts';
import { freeBuffer } from '../free-buffer.ts';
import type { Arrival, DiskRoom } from './disk-room.ts';

/** Of all notes of one mirror; those that were written longest ago go first. */
const MAX_BYTES = 128 * 1024 * 1024;
const CHUNK_CHARS = 64 * 1024;
const DIGEST_CHARS = 64;
const UNFINISHED = '.new';

/**
 * Small files beside a mirror, in which callers keep what they made of it: read with the same rights as the mirror, and gone
 * when it goes. Lines of text; whole or not there at all, since the last line is the sha256 of those before.
 */
export class Notes {
  readonly #dir: string;
  readonly #room: DiskRoom;
  readonly #maxBytes: number;
  readonly #turns = new Turnstile();
  /** Bytes by name, the oldest first. */
  #sizes: Promise<Map<string, number>> | undefined;

  constructor(dir: string, room: DiskRoom, maxBytes = MAX_BYTES) {
    this.#dir = dir;
    this.#room = room;
    this.#maxBytes = maxBytes;
  }

  /** The lines, without their ends; undefined when there is no such note, or not the whole of it. */
  async read(name: string): Promise<Generator<string> | undefined> {
    const content = await readFile(join(this.#dir, name)).catch(() => undefined);
    const end = (content?.length ?? 0) - DIGEST_CHARS;
    if (!content || end < 0) return undefined;
    const isWhole = hash('sha256', content.subarray(0, end)) === content.toString('latin1', end);
    return isWhole ? linesOf(content, end) : undefined;
  }

  /** Replaces the note. Rejects with the error of the file system. */
  async write(name: string, lines: Iterable<string>, signal: AbortSignal): Promise<void> {
    const arrival = this.#room.arrival(signal);
    let isKept = false;
    try {
      await this.#turns.pass(signal, () => this.#replace(name, lines, arrival));
      isKept = true;
    } finally {
      arrival.end(isKept);
    }
  }

  async #replace(name: string, lines: Iterable<string>, arrival: Arrival): Promise<void> {
    const sizes = await (this.#sizes ??= this.#look());
    const path = join(this.#dir, name);
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const bytes = await writeWhole(path + UNFINISHED, lines, arrival).catch(async (error: unknown) => {
      await rm(path + UNFINISHED, { force: true });
      throw error;
    });
    await rename(path + UNFINISHED, path);
    sizes.delete(name);
    sizes.set(name, bytes);
    for (const old of sizes.keys()) {
      if (total(sizes) <= this.#maxBytes) break;
      sizes.delete(old);
      await rm(join(this.#dir, old), { force: true });
    }
  }

  /** Bytes on disk. */
  async size(): Promise<number> {
    return total(await (this.#sizes ??= this.#look()));
  }

  /** The mirror was removed, and the notes with it. */
  removed(): void {
    this.#sizes = undefined;
  }

  async #look(): Promise<Map<string, number>> {
    const names = await readdir(this.#dir).catch(() => []);
    const found = [];
    for (const name of names) {
      const path = join(this.#dir, name);
      const { size, mtimeMs } = await stat(path);
      if (name.endsWith(UNFINISHED)) await rm(path, { force: true });
      else found.push({ name, size, mtimeMs });
    }
    return new Map(found.sort((a, b) => a.mtimeMs - b.mtimeMs).map(({ name, size }) => [name, size]));
  }
}

/** Returns the bytes. */
async function writeWhole(path: string, lines: Iterable<string>, arrival: Arrival): Promise<number> {
  const file = await open(path, 'w', 0o600);
  const digest = createHash('sha256');
  let bytes = 0;
  const put = async (text: string) => {
    digest.update(text);
    await arrival.add(Buffer.byteLength(text));
    bytes += (await file.write(text)).bytesWritten;
  };
  try {
    let chunk = '';
    for (const line of lines) {
      chunk += `${line}\n`;
      if (chunk.length < CHUNK_CHARS) continue;
      await put(chunk);
      chunk = '';
    }
    await put(chunk);
    return bytes + (await file.write(digest.digest('hex'))).bytesWritten;
  } finally {
    await file.close();
  }
}

/**
 * Decoded one after the other: the whole text would be in memory twice. The bytes go back with the last one: after a restart a
 * collection that would find them comes only when all else is in memory, too.
 */
function* linesOf(content: Buffer, length: number): Generator<string> {
  for (let start = 0, end = 0; start < length; start = end + 1) {
    end = content.indexOf('\n', start);
    yield content.toString('utf8', start, end);
  }
  freeBuffer(content);
}

function total(sizes: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const bytes of sizes.values()) sum += bytes;
  return sum;
}
