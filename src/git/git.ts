import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import { Agent } from '../undici.ts';
import { checkPath, checkRef, checkUrl } from './address.ts';
import { DiskRoom, noRoom } from './disk-room.ts';
import { diskError, gitError } from './errors.ts';
import type { MirrorDeps } from './generations.ts';
import { HttpTransport } from './http-transport.ts';
import { DEFAULT_LIMITS, workerBytes } from './limits.ts';
import { Mirror } from './mirror.ts';
import { inheritedMirrors, noteUse, removeInherited } from './mirror-disk.ts';
import { FilterRefused, WantRefused } from './protocol.ts';
import { RefPoll } from './ref-poll.ts';
import type { Git, GitCall, GitLimits, ReadAhead, RefSelector, Remote, Tip, Tree } from './remote.ts';
import { UploadPack, type GitObserver } from './upload-pack.ts';
import { GitWorker, MirrorDamaged } from './worker-client.ts';

export interface GitOptions {
  /** Scratch folder, of one process at a time; what we put into it survives a restart but may be deleted at any time before one. */
  dir: string;
  limits?: Partial<GitLimits>;
  /** Starts with `git/`: some servers answer other agents with a web page. */
  userAgent?: string;
  /** All mirrors together, with what is arriving; the longest unused go first. 1.75 GiB by default. */
  diskBytes?: number;
  log?: { warn(fields: object, message: string): void };
  observer?: GitObserver;
  /** Milliseconds, monotonic. */
  now?: () => number;
}

interface Repository {
  key: string;
  /** Whose connections it uses: key of the dispatchers. */
  owner: string;
  polls: RefPoll;
  mirror: Mirror;
  usedAt: number;
  /** When the disk was told so; at most once in NOTE_USE_MS. */
  notedAt: number;
  /** Calls under way that read the mirror or bring something into it, as one: from the first of them to the last. */
  use: Use | undefined;
}

class Use {
  readonly since: number;
  users = 0;
  readonly #end = new AbortController();
  readonly #left = Promise.withResolvers<void>();

  constructor(since: number) {
    this.since = since;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  left(): void {
    this.#left.resolve();
  }

  /** Resolves when everybody has left. */
  async end(reason: Error): Promise<void> {
    this.#end.abort(reason);
    await this.#left.promise;
  }
}

const CONNECT_MS = 10_000;
/** A server that counts objects may be silent for a while; the deadline of the call ends it earlier. */
const SILENCE_MS = 120_000;
const UNUSED_MS = 24 * 3_600_000;
/** Who edits the URL of a source again and again leaves a repository behind each time, mostly one that is not there. */
const REMEMBERED_MS = 5 * 60_000;
const NOTE_USE_MS = 3_600_000;
/** Indexes and small files come on top: the volume of deploy/install.yaml has 2 GiB, and a pod that takes more is evicted. */
const DISK_BYTES = 1.75 * 1024 ** 3;
/** Who uses a mirror for longer makes room for others, if there is no other room: a server may hang for as long as it likes. */
const SIT_MS = 10_000;
const WORKER_IDLE_MS = 60_000;

/** Read-only access to Git over HTTPS; see the contract of Git. Nothing is done before the first call. */
export function openGit(options: GitOptions): Git {
  return new Repositories(options);
}

class Repositories implements Git {
  readonly #dir: string;
  readonly #limits: GitLimits;
  readonly #options: GitOptions;
  readonly #now: () => number;
  readonly #worker: GitWorker;
  readonly #known = new Map<string, Repository>();
  readonly #dispatchers = new Map<string, Agent>();
  readonly #closing = new AbortController();
  /** Mirrors of an earlier run that nobody has asked for yet: their bytes by their key. */
  #inherited: Promise<Map<string, number>> | undefined;
  readonly #mirrorDeps: MirrorDeps;
  readonly #diskBytes: number;
  readonly #room: DiskRoom;

  constructor(options: GitOptions) {
    this.#options = options;
    this.#dir = options.dir;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#now = options.now ?? (() => performance.now());
    const worker = new GitWorker({ idleMs: WORKER_IDLE_MS, growthBytes: workerBytes(process.constrainedMemory()) });
    this.#diskBytes = options.diskBytes ?? DISK_BYTES;
    this.#room = new DiskRoom(this.#diskBytes, (bytes) => this.#tidy(bytes));
    this.#worker = worker;
    this.#mirrorDeps = { worker, limits: this.#limits, room: this.#room };
  }

  async warmUp(): Promise<'cold' | 'warm'> {
    // Looked at in the moment in which it is known: whoever reads takes a mirror out. They are told why the folder cannot be used.
    const isWarm = await this.#mirrorsBefore().then(
      (inherited) => inherited.size > 0,
      () => false,
    );
    if (isWarm) return 'warm';
    this.#worker.warmUp();
    return 'cold';
  }

  async resolve(remote: Remote, ref: RefSelector, call: GitCall & { maxAgeMs: number }): Promise<Tip> {
    const query = checkRef(ref);
    return this.#call(remote, call, ({ polls }, signal) => polls.resolve(query, call.maxAgeMs, signal));
  }

  async holds(remote: Remote, { commit }: Tip, call: GitCall): Promise<boolean> {
    return this.#use(remote, call, ({ mirror }) => mirror.holds(commit));
  }

  async tree(remote: Remote, tip: Tip, path: string, call: GitCall): Promise<Tree> {
    const segments = checkPath(path);
    return this.#use(remote, call, ({ mirror }, signal) => mirror.tree(tip, segments, signal));
  }

  async read(
    remote: Remote,
    tip: Tip,
    oids: readonly string[],
    call: GitCall & ReadAhead,
  ): Promise<Map<string, Uint8Array>> {
    const soon = (): string[][] => (call.soon?.() ?? []).flatMap(checkedOrNot);
    return this.#use(remote, call, ({ mirror }, signal) => mirror.read(tip, oids, soon, signal));
  }

  async recall(remote: Remote, name: string, call: GitCall): Promise<Generator<string> | undefined> {
    return this.#use(remote, call, ({ mirror }) => mirror.notes.read(name));
  }

  async remember(remote: Remote, name: string, lines: Iterable<string>, call: GitCall): Promise<void> {
    return this.#use(remote, call, ({ mirror }, signal) => mirror.notes.write(name, lines, signal));
  }

  async close(): Promise<void> {
    this.#closing.abort(new DOMException('the Git reader is closed', 'AbortError'));
    await this.#room.settled();
    await this.#worker.close();
    await Promise.all([...this.#dispatchers.values()].map((agent) => agent.destroy()));
  }

  /** As `#call`, for what needs the mirror. */
  async #use<T>(
    remote: Remote,
    call: GitCall,
    work: (repository: Repository, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#call(remote, call, async (repository, signal) => {
      const use = (repository.use ??= new Use(this.#now()));
      use.users += 1;
      try {
        return await work(repository, AbortSignal.any([signal, use.signal]));
      } catch (error) {
        signal.throwIfAborted();
        use.signal.throwIfAborted();
        throw error;
      } finally {
        use.users -= 1;
        if (use.users === 0) {
          repository.use = undefined;
          use.left();
          void this.#room.look();
        }
      }
    });
  }

  /** Runs the work within the caller's deadline; only the deadline becomes GitTimeout, an abort stays the caller's own. */
  async #call<T>(
    remote: Remote,
    { signal, timeoutMs }: GitCall,
    work: (repository: Repository, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const url = checkUrl(remote);
    const repository = await this.#repository(remote, url).catch((error: unknown) => {
      throw outward(error, url.host);
    });
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      return await work(repository, AbortSignal.any([signal, deadline.signal, this.#closing.signal]));
    } catch (error) {
      signal.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      if (!deadline.signal.aborted) throw outward(error, url.host);
      throw gitError('GitTimeout', `${url.host} did not finish within ${timeoutMs / 1000} s`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.#used(repository);
    }
  }

  #used(repository: Repository): void {
    repository.usedAt = this.#now();
    if (repository.usedAt - repository.notedAt < NOTE_USE_MS) return;
    repository.notedAt = repository.usedAt;
    void noteUse(this.#dir, repository.key);
  }

  async #repository(remote: Remote, url: URL): Promise<Repository> {
    const inherited = await this.#mirrorsBefore();
    const key = digest(JSON.stringify([url.href, remote.auth ?? null, remote.ca ?? null]));
    let repository = this.#known.get(key);
    if (!repository) {
      const userAgent = this.#options.userAgent ?? 'git/plumbline';
      const owner = ownerOf(remote.ca, url);
      const transport = new HttpTransport(url, {
        auth: remote.auth,
        dispatcher: this.#dispatcher(owner, remote.ca),
        userAgent,
      });
      const server = new UploadPack(transport, this.#now, this.#options.observer);
      const mirror = new Mirror(join(this.#dir, key), server, this.#mirrorDeps);
      const polls = new RefPoll(server, this.#now);
      repository = { key, owner, polls, mirror, usedAt: this.#now(), notedAt: -Infinity, use: undefined };
      this.#known.set(key, repository);
      inherited.delete(key);
    }
    // Whoever tidies up must not forget what is about to be used.
    repository.usedAt = this.#now();
    return repository;
  }

  #mirrorsBefore(): Promise<Map<string, number>> {
    return (this.#inherited ??= inheritedMirrors(this.#dir, UNUSED_MS).catch((error: unknown) => {
      this.#inherited = undefined;
      throw error;
    }));
  }

  /**
   * Drops what nobody used for a day, then what was used longest ago, then the largest of what somebody sits on, until what is
   * stored takes no more than `allowed` bytes.
   */
  async #tidy(allowed: number): Promise<number> {
    let total = 0;
    try {
      const inherited = (await this.#inherited) ?? new Map<string, number>();
      total = [...inherited.values()].reduce((sum, bytes) => sum + bytes, 0);
      const mirrors: { repository: Repository; bytes: number }[] = [];
      for (const repository of this.#known.values()) {
        const bytes = await repository.mirror.size();
        total += bytes;
        mirrors.push({ repository, bytes });
      }
      for (const [key, bytes] of inherited) {
        if (total <= allowed) break;
        await removeInherited(this.#dir, key);
        inherited.delete(key);
        total -= bytes;
      }
      for (const { repository, bytes } of mirrors.toSorted((a, b) => a.repository.usedAt - b.repository.usedAt)) {
        const isOld = this.#now() - repository.usedAt > UNUSED_MS;
        if ((total <= allowed && !isOld) || repository.use) continue;
        await repository.mirror.remove(this.#closing.signal);
        if (isOld && !repository.use) this.#known.delete(repository.key);
        total -= bytes;
      }
      await this.#forgetUnused(mirrors);
      for (const { repository, bytes } of mirrors.toSorted((a, b) => b.bytes - a.bytes)) {
        const { use } = repository;
        if (total <= allowed || bytes === 0 || !use || this.#now() - use.since < SIT_MS) continue;
        await use.end(noRoom(this.#diskBytes));
        await repository.mirror.remove(this.#closing.signal);
        total -= bytes;
      }
    } catch (error) {
      if (!this.#closing.signal.aborted)
        this.#options.log?.warn({ err: error }, 'cannot tidy the scratch folder of Git');
    }
    return total;
  }

  /** A repository that was not asked for a while and of which nothing is stored, and connections that no other one uses. */
  async #forgetUnused(mirrors: readonly { repository: Repository; bytes: number }[]): Promise<void> {
    const isUnused = ({ use, usedAt }: Repository) => !use && this.#now() - usedAt > REMEMBERED_MS;
    for (const { repository, bytes } of mirrors) {
      if (bytes > 0 || !isUnused(repository)) continue;
      await removeInherited(this.#dir, repository.key);
      if (isUnused(repository)) this.#known.delete(repository.key);
    }
    const owners = new Set([...this.#known.values()].map(({ owner }) => owner));
    for (const [owner, agent] of this.#dispatchers) {
      if (owners.has(owner)) continue;
      this.#dispatchers.delete(owner);
      void agent.close();
    }
  }

  #dispatcher(key: string, ca: string | undefined): Dispatcher {
    let agent = this.#dispatchers.get(key);
    if (!agent) {
      agent = new Agent({
        // As towards the API server: one session that dies must not take every fetch from that owner with it.
        allowH2: false,
        connect: { timeout: CONNECT_MS, ...(ca === undefined ? {} : { ca }) },
        connections: 16,
        headersTimeout: SILENCE_MS,
        bodyTimeout: SILENCE_MS,
        // Longer than the usual poll, so that polling keeps one TLS session.
        keepAliveTimeout: 30_000,
      });
      this.#dispatchers.set(key, agent);
    }
    return agent;
  }
}

/**
 * Connections are shared by the repositories of one owner (the first part of the path) on one host: repositories that hang
 * use up their owner's connections, not those of everybody on a large host.
 */
function ownerOf(ca: string | undefined, { origin, pathname }: URL): string {
  return JSON.stringify([ca, origin, pathname.split('/', 2)[1]]);
}

/** Whoever else asked for a path that cannot be used is told so, not this caller. */
function checkedOrNot(path: string): string[][] {
  try {
    return [checkPath(path)];
  } catch {
    return [];
  }
}

/** The errors that carry a decision inside become ordinary ones when nobody has decided. */
function outward(caught: unknown, host: string): unknown {
  const error = diskError(caught);
  if (error instanceof WantRefused || error instanceof FilterRefused) {
    return gitError('GitProtocolError', `${host} refuses what it announces`, { cause: error });
  }
  if (error instanceof MirrorDamaged) {
    return gitError('ScratchUnusable', 'the mirror in the scratch directory is damaged again and again', {
      cause: error,
    });
  }
  return error;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
