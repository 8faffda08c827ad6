import type { TreeFile } from '../git/remote.ts';
import type { Declared, RenderProblem } from './declared.ts';
import type { DeclareSettings, Scope } from './declare.ts';
import type { Placement } from './placements.ts';

/** What one file came to. The parsed objects themselves are not kept: their bodies are, and those are what is sent. */
export interface RenderedFile {
  oid: string;
  /** Of the file, or of what it declares where that is more: it may repeat itself by aliases. */
  bytes: number;
  declared: readonly Declared[];
  problems: readonly RenderProblem[];
  ignored?: string;
  /** Scopes that the file's own CRDs define, by `group/kind`. */
  crds: readonly (readonly [string, Scope])[];
  /** The scopes that the file's objects were placed by. */
  placedBy: readonly Placement[];
}

/**
 * Rendered files of one source by path, so that a commit costs what it changes. Holds about 0.6 KB for each object besides
 * its body; everything is dropped when the source's own settings change.
 */
export class RenderCache {
  readonly #files = new Map<string, RenderedFile>();
  #settings = '';
  #bytes = 0;
  /** Names what all of its files together are; undefined while they are brought up to date, and when that failed. */
  whole: string | undefined;

  /** Must come first in each render: entries made under other settings are void. */
  use({ source, targetNamespace, commonMetadata }: DeclareSettings): void {
    const settings = JSON.stringify([source, targetNamespace, commonMetadata]);
    if (settings !== this.#settings) this.keepOnly(new Set());
    this.#settings = settings;
  }

  /** Of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  entries(): Iterable<[path: string, file: RenderedFile]> {
    return this.#files.entries();
  }

  get(path: string): RenderedFile | undefined {
    return this.#files.get(path);
  }

  set(path: string, file: RenderedFile): void {
    this.delete(path);
    this.#files.set(path, file);
    this.#bytes += file.bytes;
  }

  delete(path: string): void {
    this.#bytes -= this.#files.get(path)?.bytes ?? 0;
    this.#files.delete(path);
  }

  /** Whether the cached result still holds: same content, and each of its kinds is scoped as it was then. */
  isFresh({ path, oid }: Pick<TreeFile, 'path' | 'oid'>, scopeOf: DeclareSettings['scopeOf']): boolean {
    const file = this.#files.get(path);
    if (file?.oid !== oid) return false;
    return file.placedBy.every(({ group, kind, scope }) => scopeOf(group, kind) === scope);
  }

  /** Forgets files that are no longer selected. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#files.keys()) if (!paths.has(path)) this.delete(path);
  }
}
