import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { indexPack } from 'isomorphic-git';
import { gitError } from './errors.ts';
import { checkPack } from './pack-check.ts';
import { PackReader } from './pack-reader.ts';
import type { GitLimits } from './remote.ts';

export interface StoredObject {
  type: 'commit' | 'tree' | 'blob' | 'tag';
  content: Uint8Array;
}

/** Above this the packs are not kept in memory between two commits. */
const KEPT_PACK_BYTES = 32 * 1024 * 1024;

/**
 * The objects of one mirror: packs in `<dir>/objects/pack`, indexed by isomorphic-git and read by PackReader. Lives in the
 * worker, which is the only writer of that folder.
 */
export class ObjectStore {
  readonly #dir: string;
  readonly #files: PackFiles;
  /** By name of the pack. */
  readonly #readers = new Map<string, PackReader>();
  #cache: object = {};

  constructor(dir: string) {
    this.#dir = dir;
    this.#files = new PackFiles(join(dir, 'objects', 'pack'));
  }

  /** Throws a plain error when the mirror on disk is damaged. */
  async read(oid: string): Promise<StoredObject | undefined> {
    try {
      for (const name of await this.#files.packs()) {
        if (!this.#readers.has(name)) this.#readers.set(name, await this.#files.reader(name));
      }
      return this.#find(Buffer.from(oid, 'hex'));
    } catch (cause) {
      throw new Error(`the mirror cannot be read: ${(cause as Error).message}`, { cause });
    }
  }

  #find(oid: Buffer): StoredObject | undefined {
    for (const reader of this.#readers.values()) {
      const object = reader.read(oid, (base) => this.#find(base));
      if (object) return object;
    }
    return undefined;
  }

  /**
   * Checks the pack in `file`, indexes it (objects that it builds upon may be in this store) and moves it in. Returns how
   * many objects came. `pause` as in checkPack. Throws GitProtocolError, GitLimitExceeded.
   */
  async add(file: string, limits: GitLimits, pause: () => Promise<void> | undefined): Promise<number> {
    const pack = await readFile(file);
    const count = await checkPack(pack, limits, pause);
    const name = `pack-${pack.toString('hex', pack.length - 20)}`;
    if (count > 0) {
      const dir = dirname(file);
      const { oids } = await indexPack({
        fs: this.#files.client,
        dir,
        gitdir: this.#dir,
        filepath: basename(file),
        cache: this.#cache,
        onProgress: async () => pause(),
      });
      // The library leaves out what it could not resolve.
      if (oids.length !== count)
        throw gitError('GitProtocolError', 'the pack of the Git server builds on objects that we lack');
      // The index last: a pack is visible by its index.
      await rename(file, join(this.#files.dir, `${name}.pack`));
      await rename(file.replace(/\.pack$/, '.idx'), join(this.#files.dir, `${name}.idx`));
      this.#files.forget();
    } else {
      await rm(file);
    }
    return count;
  }

  /** To be called when a piece of work is done: what the library keeps in memory is dropped when it is a lot. */
  async trim(): Promise<void> {
    // A folder that vanished meanwhile keeps nothing either.
    const bytes = await this.#files.bytes().catch(() => Infinity);
    if (bytes > KEPT_PACK_BYTES) this.#cache = {};
  }
}

/**
 * The file system as the library sees it: there are no loose objects, the list of packs changes only through us, and a file
 * is given as an ArrayBuffer, which the library takes over without a copy.
 */
class PackFiles {
  readonly dir: string;
  #names: Promise<string[]> | undefined;
  #bytes: number | undefined;

  constructor(dir: string) {
    this.dir = dir;
  }

  forget(): void {
    this.#names = undefined;
    this.#bytes = undefined;
  }

  async bytes(): Promise<number> {
    if (this.#bytes === undefined) {
      const sizes = (await this.#list()).map(async (name) => (await stat(join(this.dir, name))).size);
      this.#bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    }
    return this.#bytes;
  }

  /** Names of the packs that have an index. */
  async packs(): Promise<string[]> {
    return (await this.#list()).flatMap((name) => (name.endsWith('.idx') ? name.slice(0, -'.idx'.length) : []));
  }

  async reader(name: string): Promise<PackReader> {
    const [pack, index] = await Promise.all(['pack', 'idx'].map((type) => readFile(join(this.dir, `${name}.${type}`))));
    return new PackReader(pack!, index!);
  }

  async #list(): Promise<string[]> {
    // A folder that vanished holds no packs; it may come again.
    this.#names ??= readdir(this.dir).catch(() => []);
    // A copy: the library sorts what it gets.
    return [...(await this.#names)];
  }

  readonly client = {
    promises: {
      readFile: async (path: string, options?: unknown): Promise<unknown> => {
        if (/\/objects\/[0-9a-f]{2}\/[0-9a-f]{38}$/.test(path)) throw notFound();
        if (options === 'utf8') return readFile(path, 'utf8');
        const bytes = await readFile(path);
        const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
        return whole ? bytes.buffer : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      },
      writeFile: async (path: string, data: Uint8Array): Promise<void> => writeFile(path, data),
      readdir: async (path: string): Promise<string[]> => (path === this.dir ? this.#list() : readdir(path)),
      stat: async (path: string) => stat(path),
      lstat: async (path: string) => stat(path),
      mkdir: refused,
      rmdir: refused,
      unlink: refused,
      readlink: refused,
      symlink: refused,
    },
  };
}

function notFound(): Error {
  return Object.assign(new Error('there are no loose objects'), { code: 'ENOENT' });
}

async function refused(): Promise<never> {
  throw new Error('the object store is read-only for the library');
}
