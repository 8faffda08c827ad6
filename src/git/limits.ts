import { gitError } from './errors.ts';
import type { GitLimits } from './remote.ts';
import type { PlumblineError } from '../errors.ts';

export const DEFAULT_LIMITS: GitLimits = {
  packBytes: 512 * 1024 * 1024,
  objectCount: 1_000_000,
  // etcd keeps no object above about 1.5 MiB; a file may hold several.
  fileBytes: 4 * 1024 * 1024,
  readBytes: 64 * 1024 * 1024,
  fileCount: 20_000,
  treeDepth: 64,
};

/** One object of a pack when it is unpacked, wherever in the repository it lies. */
export const MAX_OBJECT_BYTES = 128 * 1024 * 1024;
/** All objects on the way to one that is stored as a difference of a difference of … : a few bytes can stand for terabytes. */
export const MAX_CHAIN_BYTES = 1024 * 1024 * 1024;
/** Git itself never writes longer chains of differences. */
export const MAX_DELTA_DEPTH = 4095;
/** One answer that lists refs: about half a million; the largest public repositories have 300,000. */
export const MAX_REFS_BYTES = 32 * 1024 * 1024;
/** Tags that are searched for a version, at each poll; some tenths of a second. */
export const MAX_TAGS = 100_000;
/** Blobs asked for in one request. */
export const WANTS_PER_REQUEST = 1000;
export const MAX_LINK_HOPS = 16;
/** A million objects in one pack need about half of it. */
const WORKER_BYTES = 1024 ** 3;

/**
 * By how much the process may grow while the worker works: half of what the container may use (`constrained`; 0 for no limit).
 * A hostile repository must end its own fetch, not the process that serves everybody.
 */
export function workerBytes(constrained: number): number {
  return constrained > 0 ? Math.min(WORKER_BYTES, constrained / 2) : WORKER_BYTES;
}

export function limitExceeded(limit: string, message: string): PlumblineError {
  return gitError('GitLimitExceeded', `${message} (limit ${limit})`);
}
