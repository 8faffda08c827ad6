/** Where a repository is and how to get in. Two sources with equal remotes share one mirror. Never logged whole. */
export interface Remote {
  url: string;
  auth?: { username: string; password: string } | { bearerToken: string };
  /** PEM bundle that is trusted in addition to nothing else (it replaces the system's roots). */
  ca?: string;
  /** Allows plain http to a host that is not loopback. */
  insecure?: boolean;
}

/** Exactly one is set, as in Flux; none means `branch: main`. `name` is a full ref such as refs/pull/1/head. */
export interface RefSelector {
  branch?: string;
  tag?: string;
  semver?: string;
  commit?: string;
  name?: string;
}

/** What the ref names now. `revision` is for people and status: `main@sha1:<40 hex>`; with a bare commit `sha1:<hex>`. */
export interface Tip {
  commit: string;
  /** The full name of the ref, or undefined for a bare commit. */
  ref?: string;
  revision: string;
}

export interface Commit {
  sha: string;
  author: string;
  /** First line of the message, at most 200 characters. */
  subject: string;
  /** RFC 3339, committer's time. */
  time: string;
}

/** One file below the path. Symlinks inside the tree are already followed: `oid` is the target's. */
export interface TreeFile {
  /** From the root of the repository, with forward slashes. */
  path: string;
  oid: string;
  /** Set for an entry that cannot be read (submodule, symlink out of the tree, hostile name): an error if it is selected. */
  problem?: { code: string; message: string };
}

export interface Tree {
  commit: Commit;
  /** Object id of the tree at `path`: equal ids mean equal content. */
  treeId: string;
  /** In byte order of their paths. */
  files: TreeFile[];
}

export interface GitLimits {
  packBytes: number;
  objectCount: number;
  fileBytes: number;
  /** All files of one `read`. */
  readBytes: number;
  fileCount: number;
  treeDepth: number;
}

export interface GitCall {
  signal: AbortSignal;
  timeoutMs: number;
}

/** Names of the files that a source reads, unless it is told otherwise. */
export const MANIFEST = /\.(?:yaml|yml|json)$/;

export interface ReadAhead {
  /**
   * Folders whose manifests (MANIFEST) will be asked for soon, at the same tip: when something has to be fetched, they come along. Called
   * only then. What is wrong with one of them is no matter of this call.
   */
  soon?: () => readonly string[];
}

/**
 * Read-only access to remote repositories. Every method rejects with a PlumblineError whose code is one of GIT_ERRORS
 * (src/git/errors.ts) and whose message names what to do, without any credential.
 */
export interface Git {
  /**
   * Calls will come soon: starts what takes a moment to start, unless an earlier process has left what they will mostly ask for.
   * Resolves with whether one has (`warm`); never rejects.
   */
  warmUp(): Promise<'cold' | 'warm'>;
  /**
   * Asks the server what the ref names now (one ls-refs, shared by concurrent callers of one remote). `maxAgeMs` > 0 accepts
   * an answer that old.
   */
  resolve(remote: Remote, ref: RefSelector, call: GitCall & { maxAgeMs: number }): Promise<Tip>;
  /** Was this commit fetched before? Then `tree` and `read` need no network. */
  holds(remote: Remote, tip: Tip, call: GitCall): Promise<boolean>;
  /** The files below `path` ('' or '.' is the root) at the tip; fetches commits and trees that are missing. */
  tree(remote: Remote, tip: Tip, path: string, call: GitCall): Promise<Tree>;
  /** The content of blobs that `tree` named; fetches the missing ones in batches. */
  read(remote: Remote, tip: Tip, oids: readonly string[], call: GitCall & ReadAhead): Promise<Map<string, Uint8Array>>;
  /**
   * The lines that `remember` kept under this name beside the repository's mirror, for a caller with the same remote, in an
   * earlier process too. It is a cache: undefined at any time, but never a part of what was kept.
   */
  recall(remote: Remote, name: string, call: GitCall): Promise<Generator<string> | undefined>;
  /** `name`: letters and digits. What was kept longest ago may be given up for it. */
  remember(remote: Remote, name: string, lines: Iterable<string>, call: GitCall): Promise<void>;
  close(): Promise<void>;
}
