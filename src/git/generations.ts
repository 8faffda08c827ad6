import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gitError } from './errors.ts';
import {
  emptyState,
  generationDir,
  INCOMING,
  makeGeneration,
  objectDirs,
  openState,
  saveState,
  type MirrorState,
} from './mirror-state.ts';
import type { FetchWish } from './protocol.ts';
import type { GitLimits } from './remote.ts';
import type { UploadPack } from './upload-pack.ts';
import { MirrorDamaged, type GitWorker } from './worker-client.ts';

/**
 * The packs of one mirror on disk. One generation grows by a pack with each fetch; a new one begins when that has become too
 * much, and the one before stays readable until the next time. Whoever changes something has its mirror's turn.
 */
export class Generations {
  readonly #dir: string;
  readonly #worker: GitWorker;
  readonly #limits: GitLimits;
  #state: Promise<MirrorState> | undefined;
  #packNumber = 0;

  constructor(dir: string, worker: GitWorker, limits: GitLimits) {
    this.#dir = dir;
    this.#worker = worker;
    this.#limits = limits;
  }

  /** What is read now. Never changed in place: `take` is given a copy, and `swap` makes that copy the one that is read. */
  async state(): Promise<MirrorState> {
    this.#state ??= openState(this.#dir);
    try {
      return await this.#state;
    } catch (error) {
      this.#state = undefined;
      throw error;
    }
  }

  /** Folders that hold objects, the newest first. */
  async dirs(): Promise<string[]> {
    return this.dirsOf(await this.state());
  }

  dirsOf(state: MirrorState): string[] {
    return objectDirs(this.#dir, state);
  }

  /** Bytes of packs on disk; 0 as long as nobody has read from it. */
  async size(): Promise<number> {
    return (await this.#state)?.bytes ?? 0;
  }

  /** The state of a new generation, empty on disk; it is read once it is swapped in. */
  async begin(unfiltered: boolean, signal: AbortSignal): Promise<MirrorState> {
    const old = await this.state();
    const state = emptyState(old.generation + 1, unfiltered);
    if (old.commits.length > 0) state.previous = old.generation;
    // An attempt that failed may have left something there.
    await this.#removeGeneration(state.generation, signal);
    await makeGeneration(this.#dir, state.generation);
    return state;
  }

  /** One request and its pack, into the generation of `state`; `state` is changed to say what is there then. */
  async take(state: MirrorState, wish: FetchWish, server: UploadPack, signal: AbortSignal): Promise<void> {
    const file = join(this.#dir, INCOMING, `${(this.#packNumber += 1)}.pack`);
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const { shallow, unshallow, bytes } = await server.fetch(wish, file, this.#limits.packBytes, signal);
      const dir = generationDir(this.#dir, state.generation);
      await this.#worker.call('index', { dir, file, limits: this.#limits, wants: [...wish.wants] }, signal);
      state.shallow = [...new Set([...state.shallow, ...shallow])].filter((oid) => !unshallow.includes(oid));
      state.packs += 1;
      state.bytes += bytes;
    } catch (error) {
      if (error instanceof MirrorDamaged) throw gitError('GitProtocolError', 'the pack of the Git server is damaged');
      throw error;
    } finally {
      await rm(file, { force: true });
      await rm(file.replace(/\.pack$/, '.idx'), { force: true });
    }
  }

  /** Makes the state the one that is read, and removes what it no longer refers to. */
  async swap(state: MirrorState, signal: AbortSignal): Promise<void> {
    const old = await this.state();
    await makeGeneration(this.#dir, state.generation);
    await saveState(this.#dir, state);
    this.#state = Promise.resolve(state);
    for (const number of [old.generation, old.previous]) {
      if (number === undefined || number === state.generation || number === state.previous) continue;
      await this.#removeGeneration(number, signal);
    }
  }

  /** Removes everything; whoever is reading starts again with an empty mirror. */
  async remove(signal: AbortSignal): Promise<void> {
    for (const dir of await this.dirs()) await this.#worker.call('forget', { dir }, signal);
    await rm(this.#dir, { recursive: true, force: true });
    this.#state = undefined;
  }

  async #removeGeneration(generation: number, signal: AbortSignal): Promise<void> {
    const dir = generationDir(this.#dir, generation);
    await this.#worker.call('forget', { dir }, signal);
    await rm(dir, { recursive: true, force: true });
  }
}
