import { hash } from 'node:crypto';
import { gitError, isGitError } from './errors.ts';
import { Generations, type MirrorDeps } from './generations.ts';
import { describeRef, type RefSink, type ServerRef } from './refs.ts';
import { WANTS_PER_REQUEST } from './limits.ts';
import { join } from 'node:path';
import { emptyState, isWornOut, NOTES, type MirrorState } from './mirror-state.ts';
import { Notes } from './notes.ts';
import { FilterRefused, WantRefused, type FetchWish } from './protocol.ts';
import type { GitLimits, Tip, Tree } from './remote.ts';
import { SharedCalls } from '../concurrency/shared-calls.ts';
import { Turnstile } from '../concurrency/turnstile.ts';
import type { UploadPack } from './upload-pack.ts';
import { MirrorDamaged, type GitWorker } from './worker-client.ts';
import type { GitJobs } from './worker-jobs.ts';

/** Symbolic links can lead to further links, a fetch for each step; after so many the tree is not honest. */
const MAX_ROUNDS = 40;
const MAX_HAVES = 16;
const MAX_NOWHERE = 100;

/**
 * One repository on disk: fetches what is missing, reads what is here. What is here is read without the network. Fetches
 * of one mirror come one after the other; those of different mirrors never wait for each other.
 */
export class Mirror {
  readonly notes: Notes;
  readonly #packs: Generations;
  readonly #server: UploadPack;
  readonly #worker: GitWorker;
  readonly #limits: GitLimits;
  readonly #turns = new Turnstile();
  readonly #commits = new SharedCalls<void>();
  /** Blobs that callers in the queue have asked for. */
  readonly #awaited = new Set<string>();
  /** The commit of which nothing is fetched ahead any more: that has failed. */
  #notAhead: string | undefined;
  /** Commits that no branch and no tag leads to, with a digest of where those stood: all of history was fetched to see that. */
  readonly #nowhere = new Map<string, string>();

  constructor(dir: string, server: UploadPack, deps: MirrorDeps) {
    this.notes = new Notes(join(dir, NOTES), deps.room);
    this.#packs = new Generations(dir, deps);
    this.#server = server;
    this.#worker = deps.worker;
    this.#limits = deps.limits;
  }

  async tree(tip: Tip, path: string[], signal: AbortSignal): Promise<Tree> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = await this.#read('tree', { commit: tip.commit, path, limits: this.#limits }, signal);
      if (answer.kind === 'complete') return answer.tree;
      if (answer.kind === 'missing-blobs') await this.#fetchBlobs(tip, answer.oids, () => [], signal);
      else await this.#commits.run(tip.commit, signal, (shared) => this.#fetchCommit(tip, shared));
    }
    throw gitError('GitProtocolError', `${this.#server.host} leaves out objects that it was asked for`);
  }

  /** `soon`: folders whose manifests come along when something is missing. */
  async read(
    tip: Tip,
    oids: readonly string[],
    soon: () => string[][],
    signal: AbortSignal,
  ): Promise<Map<string, Uint8Array>> {
    const ask = { commit: tip.commit, limits: this.#limits };
    const { found, missing } = await this.#read('blobs', { ...ask, oids: [...new Set(oids)] }, signal);
    if (missing.length === 0) return found;
    await this.#fetchBlobs(tip, missing, soon, signal);
    const later = await this.#read('blobs', { ...ask, oids: missing }, signal);
    if (later.missing.length > 0) {
      throw gitError('GitProtocolError', `${this.#server.host} leaves out objects that it was asked for`);
    }
    for (const [oid, content] of later.found) found.set(oid, content);
    return found;
  }

  async holds(commit: string): Promise<boolean> {
    return (await this.#packs.state()).commits.includes(commit);
  }

  /** Bytes of packs and notes on disk; of packs 0 as long as nobody has read from it. */
  async size(): Promise<number> {
    return (await this.#packs.size()) + (await this.notes.size());
  }

  /** Removes the mirror from disk; whoever is reading it starts again with an empty one. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.#turns.pass(signal, () => this.#packs.remove(signal));
    this.notes.removed();
  }

  async #read<J extends 'tree' | 'blobs'>(
    job: J,
    ask: Omit<GitJobs[J]['ask'], 'dirs'>,
    signal: AbortSignal,
  ): Promise<GitJobs[J]['answer']> {
    const state = await this.#packs.state();
    try {
      return await this.#worker.call(job, { ...ask, dirs: this.#packs.dirsOf(state) } as GitJobs[J]['ask'], signal);
    } catch (error) {
      if (!(error instanceof MirrorDamaged)) throw error;
    }
    // Only a cache: begin again with an empty folder, and let the caller fetch.
    await this.#turns.pass(signal, async () => {
      if ((await this.#packs.state()) !== state) return;
      await this.#packs.swap(emptyState(state.generation + 1, state.unfiltered), signal);
    });
    return this.#worker.call(job, { ...ask, dirs: await this.#packs.dirs() } as GitJobs[J]['ask'], signal);
  }

  /** Holds the turn: a damaged mirror is left to the reader that comes afterwards. */
  async #missing(oids: string[], signal: AbortSignal): Promise<string[]> {
    try {
      const dirs = await this.#packs.dirs();
      return await this.#worker.call('missing', { dirs, oids }, signal);
    } catch (error) {
      if (error instanceof MirrorDamaged) return oids;
      throw error;
    }
  }

  async #fetchCommit(tip: Tip, signal: AbortSignal): Promise<void> {
    await this.#turns.pass(signal, async () => {
      const state = await this.#packs.state();
      // What we thought to hold whole is not: nothing may be built upon it.
      const begin = isWornOut(state) || state.commits.includes(tip.commit) || state.commits.length === 0;
      try {
        await this.#fetchHistory([tip.commit], begin, state.unfiltered, signal);
      } catch (error) {
        if (!(error instanceof WantRefused)) throw error;
        await this.#fetchRefused(tip, state.unfiltered, signal);
      }
    });
  }

  /** The server does not give this commit by its id: gone, or given only with the ref that leads to it. */
  async #fetchRefused(tip: Tip, unfiltered: boolean, signal: AbortSignal): Promise<void> {
    if (tip.ref !== undefined) {
      if (!(await this.#isCurrent(tip, signal))) throw this.#moved(tip);
      // A server of many replicas may list what not all of them have yet.
      return this.#wanted(tip, () => this.#fetchHistory([tip.commit], true, unfiltered, signal));
    }
    await this.#search(tip.commit, unfiltered, signal);
  }

  /** Looks for a commit in the history of all branches and tags. Once it is not there, it is looked for again when one of them has moved. */
  async #search(commit: string, unfiltered: boolean, signal: AbortSignal): Promise<void> {
    const { oids } = await this.#server.refs(['refs/heads/', 'refs/tags/'], () => new FirstTips(), signal);
    const wants = [...oids];
    const place = hash('sha1', wants.join());
    if (wants.length === 0 || this.#nowhere.get(commit) === place) throw this.#notFound(commit);
    try {
      await this.#wanted({ commit }, () => this.#fetchHistory(wants, true, unfiltered, signal, commit));
    } catch (error) {
      if (isGitError(error, 'RefNotFound')) this.#noteNowhere(commit, place);
      throw error;
    }
  }

  #noteNowhere(commit: string, place: string): void {
    this.#nowhere.delete(commit);
    this.#nowhere.set(commit, place);
    for (const oldest of this.#nowhere.keys()) {
      if (this.#nowhere.size <= MAX_NOWHERE) break;
      this.#nowhere.delete(oldest);
    }
  }

  #notFound(commit: string): Error {
    return gitError('RefNotFound', `${this.#server.host} has no commit ${commit} on any branch or tag`);
  }

  async #wanted<T>(tip: Pick<Tip, 'commit' | 'ref'>, fetch: () => Promise<T>): Promise<T> {
    try {
      return await fetch();
    } catch (error) {
      throw error instanceof WantRefused ? this.#moved(tip) : error;
    }
  }

  #moved(tip: Pick<Tip, 'commit' | 'ref'>): Error {
    const name = tip.ref === undefined ? 'the commit' : describeRef(tip.ref);
    return gitError('GitRefMoved', `${tip.commit} (${name}) vanished from ${this.#server.host} while it was read`);
  }

  async #isCurrent(tip: Tip, signal: AbortSignal): Promise<boolean> {
    const begin = () => new TipSight(tip);
    return (await this.#server.refs([tip.ref ?? ''], begin, signal)).isSeen;
  }

  /**
   * Fetches commits with their trees, and with their blobs when the server cannot leave them out. Holds the turn. `searched`: a
   * commit that must be somewhere in their history; otherwise nothing is kept of it, and what others read stays as it is.
   */
  async #fetchHistory(
    wants: string[],
    begin: boolean,
    unfiltered: boolean,
    signal: AbortSignal,
    searched?: string,
  ): Promise<void> {
    const server = await this.#server.server(signal);
    const state = begin ? await this.#packs.begin(unfiltered, signal) : structuredClone(await this.#packs.state());
    const wish: FetchWish = {
      wants,
      haves: state.commits.slice(-MAX_HAVES),
      shallow: server.shallow ? state.shallow : [],
      deepen: server.shallow && searched === undefined,
      filter: server.filter && !unfiltered,
    };
    try {
      await this.#packs.take(state, wish, this.#server, signal);
    } catch (error) {
      // What the server built upon is not here, whatever our state says: begin again, once.
      const filterRefused = error instanceof FilterRefused && !unfiltered;
      if (filterRefused) return this.#fetchHistory(wants, true, true, signal, searched);
      const isWrong = isGitError(error, 'GitProtocolError') || isGitError(error, 'ScratchUnusable');
      if (begin || !isWrong) throw error;
      return this.#fetchHistory(wants, true, unfiltered, signal, searched);
    }
    if (searched !== undefined && !(await this.#isIn(state, searched, signal))) {
      await this.#packs.drop(state, signal);
      throw this.#notFound(searched);
    }
    state.commits.push(...wants);
    state.firstBytes ||= state.bytes;
    await this.#packs.swap(state, signal);
  }

  async #isIn(state: MirrorState, oid: string, signal: AbortSignal): Promise<boolean> {
    const ask = { dirs: this.#packs.dirsOf(state), oids: [oid] };
    return (await this.#worker.call('missing', ask, signal)).length === 0;
  }

  /** Takes along what others wait for or will: a hundred sources of one repository must not make a hundred requests. */
  async #fetchBlobs(tip: Tip, oids: readonly string[], soon: () => string[][], signal: AbortSignal): Promise<void> {
    for (const oid of oids) this.#awaited.add(oid);
    await this.#turns.pass(signal, async () => {
      // Somebody before us in the queue may have brought them.
      const missing = await this.#missing([...oids], signal);
      if (missing.length === 0) return;
      const ahead = await this.#ahead(tip, soon(), signal);
      const together = [...new Set([...missing, ...this.#awaited, ...ahead])];
      this.#awaited.clear();
      try {
        await this.#fetchChunks(together, signal);
      } catch (error) {
        // Too much, refused, or too slow for the time that there is: the next attempt is for its own alone.
        if (ahead.length > 0) this.#notAhead = tip.commit;
        const ownFault = together.length === missing.length && !(error instanceof WantRefused);
        if (ownFault || !isOfTheWanted(error)) throw error;
        await this.#fetchAlone(tip, missing, together, signal);
      }
    });
  }

  /** What is not here yet of the manifests in these folders; nothing when the commit has shown that some cannot be had. */
  async #ahead({ commit }: Tip, paths: string[][], signal: AbortSignal): Promise<string[]> {
    if (paths.length === 0 || this.#notAhead === commit) return [];
    try {
      const dirs = await this.#packs.dirs();
      return await this.#worker.call('lacking', { dirs, commit, paths, limits: this.#limits }, signal);
    } catch (error) {
      if (error instanceof MirrorDamaged) return [];
      throw error;
    }
  }

  /** One of the blobs is refused or too large; it may be what another source waits for. */
  async #fetchAlone(tip: Tip, missing: string[], together: string[], signal: AbortSignal): Promise<void> {
    try {
      if (together.length === missing.length) return await this.#fetchUnfiltered(tip, signal);
      await this.#fetchChunks(missing, signal);
    } catch (error) {
      if (!(error instanceof WantRefused)) throw error;
      await this.#fetchUnfiltered(tip, signal);
    }
  }

  async #fetchChunks(wants: readonly string[], signal: AbortSignal): Promise<void> {
    for (let at = 0; at < wants.length; at += WANTS_PER_REQUEST) {
      await this.#fetchChunk(wants.slice(at, at + WANTS_PER_REQUEST), signal);
    }
  }

  async #fetchChunk(wants: string[], signal: AbortSignal): Promise<void> {
    const state = structuredClone(await this.#packs.state());
    // Without haves: the server would leave out the blobs of every commit that we claim to hold.
    const wish = { wants, haves: [], shallow: [], deepen: false, filter: false };
    await this.#packs.take(state, wish, this.#server, signal);
    await this.#packs.swap(state, signal);
  }

  /** Blobs are refused: either the commit is gone, or this server gives none by their id. */
  async #fetchUnfiltered(tip: Tip, signal: AbortSignal): Promise<void> {
    if (tip.ref !== undefined && !(await this.#isCurrent(tip, signal))) throw this.#moved(tip);
    await this.#wanted(tip, () => this.#fetchHistory([tip.commit], true, true, signal));
  }
}

/** Another choice of blobs may be given. */
function isOfTheWanted(error: unknown): boolean {
  return error instanceof WantRefused || isGitError(error, 'GitLimitExceeded');
}

/** As many tips of branches and tags as can be asked for at once. */
class FirstTips implements RefSink {
  readonly oids = new Set<string>();

  take({ oid }: ServerRef): void {
    if (this.oids.size < WANTS_PER_REQUEST) this.oids.add(oid);
  }
}

/** Does the ref still name this commit? */
class TipSight implements RefSink {
  readonly #tip: Tip;
  isSeen = false;

  constructor(tip: Tip) {
    this.#tip = tip;
  }

  take({ name, oid, peeled }: ServerRef): void {
    this.isSeen ||= name === this.#tip.ref && (peeled ?? oid) === this.#tip.commit;
  }
}
