import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPack, type Pause } from './pack-check.ts';
import { PackFile } from './pack-file.ts';
import { PackIndex } from './pack-index.ts';
import { objectId, PackReader, type StoredObject } from './pack-reader.ts';
import type { GitLimits } from './remote.ts';

interface Pack {
  index: PackIndex;
  file: PackFile;
  reader: PackReader;
}

/**
 * The objects of one mirror: packs and their indexes in `<dir>/objects/pack`. Lives in the worker, which is the only writer
 * of that folder. Reading is synchronous: objects are small and local, and jobs pause between them.
 *
 * Packs are numbered as they come, and one may build on older ones only. Without that order two packs could each hold an
 * object as the difference from one in the other, without end.
 */
export class ObjectStore {
  readonly #dir: string;
  /** Oldest first. */
  #packs: Pack[] | undefined;

  constructor(dir: string) {
    this.#dir = join(dir, 'objects', 'pack');
  }

  has(oid: string): boolean {
    return this.#opened().some(({ index }) => index.find(oid) !== undefined);
  }

  /** Throws a plain error when the mirror on disk is damaged. */
  read(oid: string): StoredObject | undefined {
    const packs = this.#opened();
    try {
      const object = find(packs, oid);
      if (object && objectId(object) !== oid) throw new Error('an object has another content than its id says');
      return object;
    } catch (error) {
      throw damaged(error);
    }
  }

  /**
   * Checks the pack in `path`, indexes it (objects that it builds upon may be in this store) and moves it in. Returns the
   * bytes of the index, 0 when the pack was empty and is gone. Throws GitProtocolError, GitLimitExceeded.
   */
  async add(path: string, limits: GitLimits, pause: Pause): Promise<number> {
    const file = new PackFile(path);
    try {
      const { objects, index, checksum } = await checkPack(file, limits, (oid) => this.read(oid), pause);
      if (objects > 0) this.#moveIn(path, index, checksum.toString('hex'));
      else rmSync(path);
      return objects > 0 ? index.length : 0;
    } finally {
      file.close();
    }
  }

  /** Removes all packs but the first `count`: those that attempts which failed have left. */
  keepFirst(count: number): void {
    const names = indexNames(this.#dir).sort().slice(count);
    if (names.length > 0) this.close();
    // A pack is visible by its index.
    for (const name of names)
      for (const end of ['idx', 'pack']) rmSync(join(this.#dir, `${name}.${end}`), { force: true });
  }

  /** Closes the files and gives the memory back; the next read opens them again. */
  close(): void {
    for (const { file } of this.#packs ?? []) file.close();
    this.#packs = undefined;
  }

  #moveIn(path: string, index: Buffer, checksum: string): void {
    const name = `${String(this.#opened().length).padStart(6, '0')}-${checksum}`;
    const indexPath = path.replace(/\.pack$/, '.idx');
    writeFileSync(indexPath, index, { mode: 0o600 });
    // The index last: a pack is visible by its index.
    renameSync(path, join(this.#dir, `pack-${name}.pack`));
    renameSync(indexPath, join(this.#dir, `pack-${name}.idx`));
    this.close();
  }

  #opened(): Pack[] {
    if (this.#packs) return this.#packs;
    const packs: Pack[] = [];
    this.#packs = packs;
    try {
      for (const name of indexNames(this.#dir).sort()) packs.push(openPack(join(this.#dir, name), [...packs]));
    } catch (error) {
      this.close();
      throw damaged(error);
    }
    return packs;
  }
}

function openPack(path: string, older: readonly Pack[]): Pack {
  const index = new PackIndex(readFileSync(`${path}.idx`));
  const file = new PackFile(`${path}.pack`);
  return { index, file, reader: new PackReader(file, (oid) => find(older, oid)) };
}

function find(packs: readonly Pack[], oid: string): StoredObject | undefined {
  for (const { index, reader } of packs) {
    const at = index.find(oid);
    if (at === undefined) continue;
    const object = reader.read(at);
    if (!object) throw new Error('an object builds on one that is gone');
    return object;
  }
  return undefined;
}

/** Never an error of the catalogue: the mirror is only a cache, and is fetched anew. */
function damaged(cause: unknown): Error {
  return new Error('a pack on disk is damaged', { cause });
}

function indexNames(dir: string): string[] {
  try {
    return readdirSync(dir).flatMap((name) => (name.endsWith('.idx') ? [name.slice(0, -4)] : []));
  } catch (error) {
    // A folder that vanished holds no packs; it may come again.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
