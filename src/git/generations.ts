import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DiskRoom } from './disk-room.ts';
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

/** What all mirrors share. */
export interface MirrorDeps {
  worker: GitWorker;
  limits: GitLimits;
  room: DiskRoom;
}

/**
 * The packs of one mirror on disk. One generation grows by a pack with each fetch; a new one begins when that has become too
 * much, and the one before stays readable until the next time. Whoever changes something has its mirror's turn.
 */
export class Generations {
  readonly #dir: string;
  readonly #worker: GitWorker;
  readonly #limits: GitLimits;
  readonly #room: DiskRoom;
  #state: Promise<MirrorState> | undefined;
  #packNumber = 0;

  constructor(dir: string, { worker, limits, room }: MirrorDeps) {
    this.#dir = dir;
    this.#worker = worker;
    this.#limits = limits;
    this.#room = room;
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
    const { bytes = 0, previousBytes = 0 } = (await this.#state) ?? {};
    return bytes + previousBytes;
  }

  /** The state of a new generation, empty on disk; it is read once it is swapped in. */
  async begin(unfiltered: boolean, signal: AbortSignal): Promise<MirrorState> {
    const old = await this.state();
    const state = emptyState(old.generation + 1, unfiltered);
    if (old.commits.length > 0) [state.previous, state.previousBytes] = [old.generation, old.bytes];
    // An attempt that failed may have left something there.
    await this.#removeGeneration(state.generation, signal);
    await makeGeneration(this.#dir, state.generation);
    return state;
  }

  /** One request and its pack, into the generation of `state`; `state` is changed to say what is there then. */
  async take(state: MirrorState, wish: FetchWish, server: UploadPack, signal: AbortSignal): Promise<void> {
    const file = join(this.#dir, INCOMING, `${(this.#packNumber += 1)}.pack`);
    const arrival = this.#room.arrival(signal);
    let isKept = false;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const { shallow, unshallow, bytes } = await server.fetch(wish, file, this.#limits.packBytes, arrival);
      const dir = generationDir(this.#dir, state.generation);
      const ask = { dir, file, packs: state.packs, limits: this.#limits, wants: [...wish.wants] };
      const { indexBytes } = await this.#worker.call('index', ask, arrival.signal);
      isKept = true;
      state.shallow = [...new Set([...state.shallow, ...shallow])].filter((oid) => !unshallow.includes(oid));
      // An empty pack is not kept.
      if (indexBytes > 0) state.packs += 1;
      state.bytes += bytes + indexBytes;
    } catch (error) {
      arrival.signal.throwIfAborted();
      if (error instanceof MirrorDamaged) throw gitError('GitProtocolError', 'the pack of the Git server is damaged');
      throw error;
    } finally {
      await rm(file, { force: true });
      await rm(file.replace(/\.pack$/, '.idx'), { force: true });
      arrival.end(isKept);
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

  /** Removes what came into a new generation that is not to be read. */
  async drop({ generation }: MirrorState, signal: AbortSignal): Promise<void> {
    await this.#removeGeneration(generation, signal);
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
