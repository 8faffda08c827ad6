import { createHash } from 'node:crypto';
import { gitError, type GitErrorCode } from './errors.ts';
import { limitExceeded, MAX_LINK_HOPS } from './limits.ts';
import type { KnownTrees } from './parsed-trees.ts';
import type { GitLimits, TreeFile } from './remote.ts';
import { parseTree, type TreeEntry } from './tree-entries.ts';

/** Where objects come from. `undefined` means that the object is not here yet. */
export interface ObjectReader {
  tree(oid: string): Promise<Uint8Array | undefined>;
  blob(oid: string): Promise<Uint8Array | undefined>;
  /** Trees that earlier walks have parsed. */
  readonly parsed?: KnownTrees;
}

/**
 * The files below a path, or what must be fetched before they can be listed: blobs of symbolic links (all that are known to
 * be missing), or trees of the commit.
 */
export type Walked =
  | { kind: 'complete'; treeId: string; files: TreeFile[] }
  | { kind: 'missing-blobs'; oids: string[] }
  | { kind: 'missing-tree' };

/** A folder where it really lies: its path, and the tree ids from the root down to it. */
interface Place {
  path: readonly string[];
  trees: readonly string[];
}

interface Problem {
  kind: 'problem';
  code: GitErrorCode;
  message: string;
}

type Resolved = { kind: 'file'; oid: string } | { kind: 'directory'; place: Place } | { kind: 'pending' } | Problem;

class TreeMissing extends Error {}

/** Lists what lies below `path` in the tree `root`. Throws PathNotFound, HostileTree, GitLimitExceeded. */
export async function walkTree(
  root: string,
  path: readonly string[],
  reader: ObjectReader,
  limits: Pick<GitLimits, 'fileCount' | 'treeDepth'>,
): Promise<Walked> {
  const walk = new Walk(reader, limits);
  try {
    return await walk.run(root, path);
  } catch (error) {
    if (error instanceof TreeMissing) return { kind: 'missing-tree' };
    throw error;
  }
}

class Walk {
  readonly #reader: ObjectReader;
  readonly #limits: Pick<GitLimits, 'fileCount' | 'treeDepth'>;
  readonly #parsed = new Map<string, readonly TreeEntry[]>();
  readonly #missing = new Set<string>();
  readonly #files: TreeFile[] = [];
  /** Links that lead out of the path but not out of the repository: their targets belong to the identity of the content. */
  readonly #elsewhere: string[] = [];
  #folders = 0;
  #start: Place = { path: [], trees: [] };

  constructor(reader: ObjectReader, limits: Pick<GitLimits, 'fileCount' | 'treeDepth'>) {
    this.#reader = reader;
    this.#limits = limits;
  }

  async run(root: string, path: readonly string[]): Promise<Walked> {
    const found = await this.#resolve({ path: [], trees: [root] }, path.join('/'), 0);
    if (found.kind === 'pending') return { kind: 'missing-blobs', oids: [...this.#missing] };
    if (found.kind !== 'directory') {
      const shown = path.join('/');
      const why =
        found.kind === 'file' ? `${shown} is a file, not a folder` : `there is no folder ${shown} in the commit`;
      throw gitError('PathNotFound', `spec.path: ${why}`);
    }
    this.#start = found.place;
    await this.#folder(path.join('/'), found.place, [found.place.path], 0);
    if (this.#missing.size > 0) return { kind: 'missing-blobs', oids: [...this.#missing] };
    return { kind: 'complete', treeId: this.#treeId(), files: this.#files.sort(byPath) };
  }

  #treeId(): string {
    const own = lastOf(this.#start.trees);
    if (this.#elsewhere.length === 0) return own;
    return createHash('sha1')
      .update([own, ...this.#elsewhere.sort()].join('\n'))
      .digest('hex');
  }

  /** `active` holds the real paths of the folders that are being listed, to see circles. */
  async #folder(shown: string, place: Place, active: readonly (readonly string[])[], depth: number): Promise<void> {
    if (depth > this.#limits.treeDepth) {
      throw limitExceeded('treeDepth', `${shown} lies more than ${this.#limits.treeDepth} folders deep`);
    }
    this.#folders += 1;
    if (this.#folders > this.#limits.fileCount) {
      throw limitExceeded('fileCount', `there are more than ${this.#limits.fileCount} folders below the path`);
    }
    for (const entry of await this.#entries(lastOf(place.trees), place.path)) {
      const path = shown === '' ? entry.name : `${shown}/${entry.name}`;
      if (entry.unreadable) {
        this.#add(
          path,
          entry.oid,
          problem('UnreadableName', `the name ${path} is not UTF-8 or holds control characters`),
        );
      } else if (entry.kind === 'directory') {
        const inner = child(place, entry);
        await this.#folder(path, inner, [...active, inner.path], depth + 1);
      } else if (entry.kind === 'file') {
        this.#add(path, entry.oid);
      } else if (entry.kind === 'submodule') {
        this.#add(path, entry.oid, problem('Submodule', 'it is a submodule, which is not fetched'));
      } else {
        await this.#link(path, place, entry, active, depth);
      }
    }
  }

  async #link(
    path: string,
    place: Place,
    entry: TreeEntry,
    active: readonly (readonly string[])[],
    depth: number,
  ): Promise<void> {
    const target = await this.#follow(place, entry, 1);
    if (target.kind === 'pending') return;
    if (target.kind === 'problem') {
      this.#add(path, entry.oid, target);
    } else if (target.kind === 'file') {
      this.#elsewhere.push(`${path}\0${target.oid}`);
      this.#add(path, target.oid);
    } else if (active.some((folder) => isWithin(folder, target.place.path))) {
      this.#add(path, entry.oid, problem('SymlinkBroken', 'the link leads in a circle'));
    } else {
      if (!isWithin(target.place.path, this.#start.path))
        this.#elsewhere.push(`${path}\0${lastOf(target.place.trees)}`);
      await this.#folder(path, target.place, [...active, target.place.path], depth + 1);
    }
  }

  /** What a link in the folder `place` finally names. `hops` counts the links followed so far. */
  async #follow(place: Place, entry: TreeEntry, hops: number): Promise<Resolved> {
    if (hops > MAX_LINK_HOPS) return problem('SymlinkBroken', `the link leads over more than ${MAX_LINK_HOPS} links`);
    const content = await this.#reader.blob(entry.oid);
    if (content === undefined) {
      this.#missing.add(entry.oid);
      return { kind: 'pending' };
    }
    const target = Buffer.from(content).toString('utf8');
    if (target === '' || target.length > 4096) return problem('SymlinkBroken', 'the link leads to nothing');
    if (target.startsWith('/')) return problem('SymlinkOutside', 'the link leads out of the repository');
    return this.#resolve(place, target, hops);
  }

  async #resolve(from: Place, target: string, hops: number): Promise<Resolved> {
    const segments = target.split('/').filter((segment) => segment !== '' && segment !== '.');
    let place = from;
    for (const [index, segment] of segments.entries()) {
      const isLast = index === segments.length - 1;
      if (segment === '..') {
        if (place.path.length === 0) return problem('SymlinkOutside', 'the link leads out of the repository');
        place = { path: place.path.slice(0, -1), trees: place.trees.slice(0, -1) };
        continue;
      }
      const next = await this.#step(place, segment, hops);
      if (next.kind === 'directory') place = next.place;
      else if (next.kind !== 'file' || isLast) return next;
      else return problem('SymlinkBroken', 'the link leads to nothing');
    }
    return { kind: 'directory', place };
  }

  async #step(place: Place, name: string, hops: number): Promise<Resolved> {
    const entries = await this.#entries(lastOf(place.trees), place.path);
    const entry = entries.find((candidate) => candidate.name === name && !candidate.unreadable);
    if (!entry) return problem('SymlinkBroken', 'the link leads to nothing');
    switch (entry.kind) {
      case 'file':
        return { kind: 'file', oid: entry.oid };
      case 'directory':
        return { kind: 'directory', place: child(place, entry) };
      case 'submodule':
        return problem('Submodule', 'it leads into a submodule, which is not fetched');
      case 'link':
        return this.#follow(place, entry, hops + 1);
    }
  }

  async #entries(oid: string, path: readonly string[]): Promise<readonly TreeEntry[]> {
    const known = this.#parsed.get(oid);
    if (known) return known;
    const entries = this.#reader.parsed?.get(oid) ?? (await this.#parse(oid, path));
    this.#parsed.set(oid, entries);
    return entries;
  }

  async #parse(oid: string, path: readonly string[]): Promise<readonly TreeEntry[]> {
    const content = await this.#reader.tree(oid);
    if (content === undefined) throw new TreeMissing();
    const entries = parseTree(content, path.join('/'));
    this.#reader.parsed?.set(oid, entries);
    return entries;
  }

  #add(path: string, oid: string, found?: Problem): void {
    if (this.#files.length >= this.#limits.fileCount) {
      throw limitExceeded('fileCount', `there are more than ${this.#limits.fileCount} files below the path`);
    }
    this.#files.push(found ? { path, oid, problem: { code: found.code, message: found.message } } : { path, oid });
  }
}

function problem(code: GitErrorCode, message: string): Problem {
  return { kind: 'problem', code, message };
}

function child(place: Place, entry: TreeEntry): Place {
  return { path: [...place.path, entry.name], trees: [...place.trees, entry.oid] };
}

function isWithin(path: readonly string[], ancestor: readonly string[]): boolean {
  return ancestor.length <= path.length && ancestor.every((segment, index) => path[index] === segment);
}

function lastOf(list: readonly string[]): string {
  return list.at(-1) ?? '';
}

/** Byte order of the UTF-8 forms; only beyond the basic plane does it differ from the order of JavaScript strings. */
function byPath(a: TreeFile, b: TreeFile): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
