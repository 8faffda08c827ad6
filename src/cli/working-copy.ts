import { readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { TerminalError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../git/limits.ts';
import type { TreeFile } from '../git/remote.ts';
import { MAX_FILE_BYTES } from '../render/parse.ts';

/** Stands for what comes in by stdin, as in kubectl. */
export const STDIN = '-';
const STDIN_FILE = 'stdin.yaml';

/** A folder (or one file) on disk, listed as Git would list it when it is committed. */
export interface WorkingCopy {
  /** From where the command was started, with forward slashes; '' is that very folder. */
  readonly folder: string;
  /** Their paths are from where the command was started, too. */
  readonly files: readonly TreeFile[];
  /** Contents by the `oid` of `files`; a file that cannot be read is left out. */
  readonly read: (oids: readonly string[]) => Promise<Map<string, Uint8Array>>;
}

/**
 * Lists everything below `path` but Git's own folder. Links are followed as long as they stay below it. Throws
 * `WorkingCopyUnreadable` when there is nothing to list; what is wrong with single files is a problem of that file.
 */
export function openWorkingCopy(path: string): WorkingCopy {
  if (path === STDIN) return streamed();
  const stats = lookAt(path);
  if (typeof stats === 'string') throw unreadable(path, stats);
  if (stats.isDirectory()) return copyOf(path, new Walk(path).run());
  if (!stats.isFile()) throw unreadable(path, 'it is neither a folder nor a regular file');
  const name = basename(path);
  return copyOf(dirname(path), [{ path: name, oid: name }]);
}

/** What another program rendered: `kustomize build … | plumbline lint -`. */
function streamed(): WorkingCopy {
  return {
    folder: '',
    files: [{ path: STDIN_FILE, oid: STDIN_FILE }],
    read: async (oids) => {
      const content = await readStdin();
      return new Map(oids.map((oid) => [oid, content]));
    },
  };
}

/** One byte too many is enough to have it refused. */
async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_FILE_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_FILE_BYTES + 1);
}

function copyOf(root: string, listed: readonly TreeFile[]): WorkingCopy {
  const folder = relative('.', root).split(sep).join('/');
  const files = folder === '' ? listed : listed.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
  return { folder, files, read: async (oids) => readAll(root, oids) };
}

function readAll(root: string, oids: readonly string[]): Map<string, Uint8Array> {
  const contents = new Map<string, Uint8Array>();
  for (const oid of oids) {
    const content = readRegular(join(root, oid));
    if (content) contents.set(oid, content);
  }
  return contents;
}

/** Never opens what could block (a pipe, a device). A file that is too large is refused by its size: one byte too many is enough. */
function readRegular(path: string): Uint8Array | undefined {
  const stats = lookAt(path);
  if (typeof stats === 'string' || !stats.isFile()) return undefined;
  if (stats.size > MAX_FILE_BYTES) return new Uint8Array(MAX_FILE_BYTES + 1);
  try {
    return readFileSync(path);
  } catch {
    // Gone or forbidden: the renderer names the file whose content is missing.
    return undefined;
  }
}

/** What lies behind a path, links followed; a text says why nothing does. */
function lookAt(path: string): Stats | string {
  try {
    return statSync(path);
  } catch (error) {
    return why(error);
  }
}

function why(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read';
  return typeof code === 'string' ? `reading it failed with ${code}` : String(error);
}

function unreadable(path: string, reason: string): TerminalError {
  return new TerminalError('WorkingCopyUnreadable', `${path}: ${reason}`);
}

class Walk {
  readonly #root: string;
  readonly #realRoot: string;
  readonly #files: TreeFile[] = [];

  constructor(root: string) {
    this.#root = root;
    this.#realRoot = realpathSync(root);
  }

  run(): TreeFile[] {
    this.#folder('', [this.#realRoot]);
    return this.#files;
  }

  /** `active`: where the folders that are being listed really lie, to see circles. */
  #folder(shown: string, active: readonly string[]): void {
    if (active.length > DEFAULT_LIMITS.treeDepth)
      throw unreadable(shown, `more than ${active.length - 1} folders deep`);
    for (const entry of this.#entries(shown)) {
      if (entry.name === '.git') continue;
      const path = shown === '' ? entry.name : `${shown}/${entry.name}`;
      if (entry.isDirectory()) this.#folder(path, [...active, join(active.at(-1)!, entry.name)]);
      else if (entry.isSymbolicLink()) this.#link(path, active);
      else if (entry.isFile()) this.#add(path);
      // Sockets, pipes and devices cannot be committed.
    }
  }

  #entries(shown: string) {
    try {
      return readdirSync(join(this.#root, shown), { withFileTypes: true });
    } catch (error) {
      throw unreadable(join(this.#root, shown), why(error));
    }
  }

  #link(path: string, active: readonly string[]): void {
    let target: string;
    try {
      target = realpathSync(join(this.#root, path));
    } catch {
      return this.#add(path, { code: 'SymlinkBroken', message: `${path}: the link leads to nothing` });
    }
    const fromRoot = relative(this.#realRoot, target);
    if (fromRoot.split(sep)[0] === '..' || isAbsolute(fromRoot)) {
      return this.#add(path, { code: 'SymlinkOutside', message: `${path}: the link leads out of the folder` });
    }
    const stats = lookAt(target);
    if (typeof stats === 'string') return this.#add(path, { code: 'UnreadableFile', message: `${path}: ${stats}` });
    if (!stats.isDirectory()) return stats.isFile() ? this.#add(path) : undefined;
    if (active.some((folder) => folder === target || folder.startsWith(target + sep))) {
      return this.#add(path, { code: 'SymlinkBroken', message: `${path}: the link leads in a circle` });
    }
    this.#folder(path, [...active, target]);
  }

  #add(path: string, problem?: TreeFile['problem']): void {
    if (this.#files.length >= DEFAULT_LIMITS.fileCount) {
      throw unreadable(this.#root, `there are more than ${DEFAULT_LIMITS.fileCount} files below it`);
    }
    this.#files.push({ path, oid: path, ...(problem && { problem }) });
  }
}
