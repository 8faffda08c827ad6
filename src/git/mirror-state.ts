import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What we know about a mirror on disk, beyond its packs. */
export interface MirrorState {
  /** The number of the folder that is written to. */
  generation: number;
  /** The one before it: still read, until the next one takes over; and its bytes. */
  previous?: number;
  previousBytes?: number;
  /** Commits that we hold with all their trees, oldest first. */
  commits: string[];
  /** Those that we hold without their parents. */
  shallow: string[];
  /** The server refused blobs by their id: everything is fetched with the commit. */
  unfiltered: boolean;
  packs: number;
  bytes: number;
  /** Size after the first fetch of this generation. */
  firstBytes: number;
}

export function emptyState(generation: number, unfiltered: boolean): MirrorState {
  return { generation, commits: [], shallow: [], unfiltered, packs: 0, bytes: 0, firstBytes: 0 };
}

const MAX_PACKS = 100;
const SLACK_BYTES = 4 * 1024 * 1024;

/** Packs only grow in number, and nothing in them is ever dropped: at some point it is cheaper to start again. */
export function isWornOut({ packs, bytes, firstBytes }: MirrorState): boolean {
  return packs >= MAX_PACKS || bytes > 2 * firstBytes + SLACK_BYTES;
}

export function generationDir(dir: string, generation: number): string {
  return join(dir, `generation-${generation}`);
}

/** Folders that hold objects, the newest first. */
export function objectDirs(dir: string, { generation, previous }: MirrorState): string[] {
  return [generation, ...(previous === undefined ? [] : [previous])].map((number) => generationDir(dir, number));
}

export const INCOMING = 'incoming';
/** What callers keep beside the packs; see Notes. */
export const NOTES = 'notes';
export const STATE = 'state.json';

/** Reads the state, makes the folders, and removes what a crash or an older state left behind. */
export async function openState(dir: string): Promise<MirrorState> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const state = await readState(dir);
  const kept = new Set([STATE, NOTES, ...objectDirs('', state)]);
  for (const name of await readdir(dir))
    if (!kept.has(name)) await rm(join(dir, name), { recursive: true, force: true });
  await mkdir(join(dir, INCOMING), { mode: 0o700 });
  await makeGeneration(dir, state.generation);
  return state;
}

async function readState(dir: string): Promise<MirrorState> {
  try {
    const state: unknown = JSON.parse(await readFile(join(dir, STATE), 'utf8'));
    if (isMirrorState(state)) return state;
  } catch {
    // Handled as one that cannot be used.
  }
  // None yet, not whole, or of a build that writes it otherwise (an upgrade, or back): it is only a cache.
  return emptyState(1, false);
}

function isMirrorState(value: unknown): value is MirrorState {
  if (typeof value !== 'object' || value === null) return false;
  const state = value as Partial<Record<keyof MirrorState, unknown>>;
  const numbers = [state.generation, state.packs, state.bytes, state.firstBytes];
  const optional = [state.previous, state.previousBytes];
  return (
    numbers.every(Number.isFinite) &&
    optional.every((number) => number === undefined || Number.isFinite(number)) &&
    typeof state.unfiltered === 'boolean' &&
    [state.commits, state.shallow].every(isTexts)
  );
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

export async function makeGeneration(dir: string, generation: number): Promise<void> {
  await mkdir(join(generationDir(dir, generation), 'objects', 'pack'), { recursive: true, mode: 0o700 });
}

/** Whole or not at all: a reader after a crash sees the old state or the new one. */
export async function saveState(dir: string, state: MirrorState): Promise<void> {
  const temporary = join(dir, `${STATE}.new`);
  await writeFile(temporary, JSON.stringify(state), { mode: 0o600 });
  await rename(temporary, join(dir, STATE));
}
