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
/** One answer that lists refs. */
export const MAX_REFS_BYTES = 64 * 1024 * 1024;
/** Blobs asked for in one request. */
export const WANTS_PER_REQUEST = 1000;
export const MAX_LINK_HOPS = 16;

export function limitExceeded(limit: string, message: string): PlumblineError {
  return gitError('GitLimitExceeded', `${message} (limit ${limit})`);
}
