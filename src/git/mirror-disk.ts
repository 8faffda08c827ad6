import { readdirSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { STATE } from './mirror-state.ts';

/** Where mirrors are kept when nobody says where. */
export const DEFAULT_CACHE_DIR = '/var/cache/plumbline';

/** How the folder of a mirror is called: the beginning of a sha256. */
const MIRROR = /^[0-9a-f]{32}$/;

/**
 * The mirrors that an earlier run left in the scratch folder: bytes by folder name. Those that nobody has used for `maxAgeMs`,
 * and those that are not whole, are removed. Nothing else is touched: somebody may have named a folder in which he keeps other things.
 */
export async function inheritedMirrors(dir: string, maxAgeMs: number): Promise<Map<string, number>> {
  const mirrors = new Map<string, number>();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const name of (await readdir(dir)).filter((one) => MIRROR.test(one))) {
    const path = join(dir, name);
    const state = await stat(join(path, STATE)).catch(() => undefined);
    if (!state || Date.now() - state.mtimeMs > maxAgeMs) await rm(path, { recursive: true, force: true });
    else mirrors.set(name, await folderSize(path));
  }
  return mirrors;
}

/** Whether an earlier run may have left mirrors there: one quick look, before anything else is done; `inheritedMirrors` says which. Never throws. */
export function mayHoldMirrors(dir: string): boolean {
  try {
    return readdirSync(dir).some((name) => MIRROR.test(name));
  } catch {
    // No folder, no mirrors; that it cannot be used is said where it is used.
    return false;
  }
}

/** Says to the process after this one that the mirror is in use, though nothing may have been fetched for weeks. Never rejects. */
export async function noteUse(dir: string, name: string): Promise<void> {
  const now = new Date();
  await utimes(join(dir, name, STATE), now, now).catch(() => undefined);
}

export async function removeInherited(dir: string, name: string): Promise<void> {
  await rm(join(dir, name), { recursive: true, force: true });
}

async function folderSize(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
