import type { GitErrorCode } from './errors.ts';
import type { GitLimits, Tree } from './remote.ts';

/** What the worker can do. `dirs` are the folders of a mirror that hold objects, the newest first. */
export interface GitJobs {
  /** Checks, indexes and takes in the pack `file` beside the first `packs`, which is all that may be there; the mirror must then hold all of `wants`. */
  index: {
    ask: { dir: string; file: string; packs: number; limits: GitLimits; wants: string[] };
    answer: { indexBytes: number };
  };
  /** The files below a path, or what must be fetched first. */
  tree: { ask: { dirs: string[]; commit: string; path: string[]; limits: GitLimits }; answer: TreeAnswer };
  /** The contents of those blobs that are here, and the ids of the others. */
  blobs: {
    ask: { dirs: string[]; commit: string; oids: string[]; limits: GitLimits };
    answer: { found: Map<string, Uint8Array>; missing: string[] };
  };
  /** Which of the objects are not here. */
  missing: { ask: { dirs: string[]; oids: string[] }; answer: string[] };
  /** Which blobs are not here of the manifests (by their names) in these folders; not all when they are very many. */
  lacking: { ask: { dirs: string[]; commit: string; paths: string[][]; limits: GitLimits }; answer: string[] };
  /** The folder is about to vanish: nothing of it stays in memory. */
  forget: { ask: { dir: string }; answer: null };
}

export type GitJob = keyof GitJobs;

export type TreeAnswer =
  { kind: 'complete'; tree: Tree } | { kind: 'missing-blobs'; oids: string[] } | { kind: 'missing-commit' };

export type ToWorker =
  { [J in GitJob]: { id: number; job: J; ask: GitJobs[J]['ask'] } }[GitJob] | { id: number; job: 'cancel' };

export interface FromWorker {
  id: number;
  answer?: unknown;
  /** `code` is absent when the mirror on disk is damaged or a bug was hit: it can be fetched anew. */
  failure?: { code?: GitErrorCode; message: string };
}
