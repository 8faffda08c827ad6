// What the tests of reading Git share: a reader with a scratch folder of its own, and one whole reading.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGit, type GitOptions } from '../src/git/git.ts';
import type { Git, RefSelector, Remote, Tip, Tree } from '../src/git/remote.ts';

/** Far above what a call needs, so that a busy machine fails nothing. */
export const TIMEOUT_MS = 60_000;

export interface TestGit extends Git, AsyncDisposable {
  dir: string;
}

/** With `dir` the folder is the caller's and stays. */
export async function openTestGit(options: Partial<GitOptions> = {}): Promise<TestGit> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'plumbline-mirrors-')));
  const git = openGit({ ...options, dir });
  return {
    dir,
    warmUp: () => git.warmUp(),
    resolve: (...args) => git.resolve(...args),
    holds: (...args) => git.holds(...args),
    tree: (...args) => git.tree(...args),
    read: (...args) => git.read(...args),
    recall: (...args) => git.recall(...args),
    remember: (...args) => git.remember(...args),
    close: () => git.close(),
    [Symbol.asyncDispose]: async () => {
      await git.close();
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Text of so many characters that takes three quarters of its length in a pack. */
export function incompressible(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}

export function call(options: { signal?: AbortSignal; timeoutMs?: number; maxAgeMs?: number } = {}) {
  return { signal: new AbortController().signal, timeoutMs: TIMEOUT_MS, maxAgeMs: 0, ...options };
}

export interface Reading {
  tip: Tip;
  tree: Tree;
  /** Content by path; of an entry with a problem: its code in brackets. */
  files: Record<string, string>;
}

/** Resolve, list, read: what one reconciliation does. */
export async function readAll(git: Git, remote: Remote, path = '', ref: RefSelector = {}): Promise<Reading> {
  const tip = await git.resolve(remote, ref, call());
  return readTip(git, remote, tip, path);
}

export async function readTip(git: Git, remote: Remote, tip: Tip, path = ''): Promise<Reading> {
  const tree = await git.tree(remote, tip, path, call());
  const sound = tree.files.filter((file) => !file.problem);
  const contents = await git.read(
    remote,
    tip,
    sound.map(({ oid }) => oid),
    call(),
  );
  const text = (oid: string): string => Buffer.from(contents.get(oid) ?? 'never read').toString();
  const files = tree.files.map(
    (file) => [file.path, file.problem ? `[${file.problem.code}]` : text(file.oid)] as const,
  );
  return { tip, tree, files: Object.fromEntries(files) };
}
