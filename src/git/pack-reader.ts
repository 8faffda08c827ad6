import { createHash } from 'node:crypto';
import { applyDelta } from './delta.ts';
import type { ObjectType, PackFile } from './pack-file.ts';

export interface StoredObject {
  type: ObjectType;
  content: Buffer;
}

const CACHE_BYTES = 8 * 1024 * 1024;

/** Undoes differences. Objects that were built lately are kept, up to a few megabytes: neighbours share their bases. */
export class PackReader {
  readonly #file: PackFile;
  readonly #external: (oid: string) => StoredObject | undefined;
  readonly #cache = new Map<number, StoredObject>();
  #cacheBytes = 0;

  /** `external` finds the bases of differences by object id. */
  constructor(file: PackFile, external: (oid: string) => StoredObject | undefined) {
    this.#file = file;
    this.#external = external;
  }

  /** The object at an offset; undefined when something that it builds on is not to be found. */
  read(at: number): StoredObject | undefined {
    const deltas: Buffer[] = [];
    let object = this.#cache.get(at);
    for (let next = at; !object;) {
      const { content, kind } = this.#file.entry(next);
      if (kind.is === 'object') {
        object = { type: kind.type, content };
        break;
      }
      deltas.push(content);
      if (kind.is === 'object-delta') {
        object = this.#external(kind.base);
        if (!object) return undefined;
      } else {
        next = kind.base;
        object = this.#cache.get(next);
      }
    }
    for (let delta = deltas.pop(); delta; delta = deltas.pop()) {
      object = { type: object.type, content: applyDelta(object.content, delta) };
    }
    this.#keep(at, object);
    return object;
  }

  #keep(at: number, object: StoredObject): void {
    if (object.content.length > CACHE_BYTES / 4 || this.#cache.has(at)) return;
    this.#cache.set(at, object);
    this.#cacheBytes += object.content.length;
    for (const [oldest, { content }] of this.#cache) {
      if (this.#cacheBytes <= CACHE_BYTES) break;
      this.#cache.delete(oldest);
      this.#cacheBytes -= content.length;
    }
  }
}

export function objectId({ type, content }: StoredObject): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}
