import { setImmediate } from 'node:timers/promises';
import type { RefQuery } from './address.ts';
import { gitError, isGitError } from './errors.ts';
import { refPrefix, TipSearch, type AskedRef } from './refs.ts';
import type { Tip } from './remote.ts';
import { SharedCalls } from '../concurrency/shared-calls.ts';
import type { UploadPack } from './upload-pack.ts';

/** A ref that nobody asked for during this time is no longer asked for along with the others. */
const FORGET_AFTER_MS = 10 * 60_000;
/** A range is held against each tag: only those of the sources that ask now, not what an edited one asked for before. */
const FORGET_RANGE_MS = 5_000;
/** From here on the two large folders are asked for as a whole. */
const MAX_PREFIXES = 200;
/** The key of no query. */
const TOGETHER = '';

interface Answer {
  /** What was found; only the queries of `keys` were looked for. */
  search: TipSearch;
  keys: ReadonlySet<string>;
  /** When the question was sent: the answer is at least as new as that. */
  at: number;
}

/** The refs of one remote: one question to the server serves every source that watches it, whatever ref each wants. */
export class RefPoll {
  readonly #server: UploadPack;
  readonly #now: () => number;
  /** By `keyOf`. */
  readonly #asked = new Map<string, { query: AskedRef; at: number }>();
  /** By key, where each is asked for alone; TOGETHER where all are. */
  readonly #calls = new SharedCalls<Answer>();
  #answer: Answer | undefined;
  /** When the answer for all together was too much. */
  #apartSince = -Infinity;

  constructor(server: UploadPack, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  async resolve(query: RefQuery, maxAgeMs: number, signal: AbortSignal): Promise<Tip> {
    if (query.kind === 'commit') return { commit: query.commit, revision: `sha1:${query.commit}` };
    const search = await this.#search(query, maxAgeMs, signal);
    try {
      return search.tip(query);
    } catch (error) {
      if (isGitError(error, 'RefNotFound') && search.count === 0) await this.#checkEmpty(signal);
      throw error;
    }
  }

  async #search(query: AskedRef, maxAgeMs: number, signal: AbortSignal): Promise<TipSearch> {
    const key = keyOf(query);
    this.#asked.set(key, { query, at: this.#now() });
    const known = this.#answer;
    if (known?.keys.has(key) && this.#now() - known.at < maxAgeMs) return known.search;
    if (this.#now() - this.#apartSince > FORGET_AFTER_MS) {
      try {
        return await this.#together(key, signal);
      } catch (error) {
        if (!isGitError(error, 'GitLimitExceeded') || this.#asked.size < 2) throw error;
        // A ref that begins like hundreds of thousands of others ends the question of whoever follows it, and of nobody else.
        this.#apartSince = this.#now();
      }
    }
    const { search } = await this.#calls.run(key, signal, (shared) => this.#ask(key, () => [query], shared));
    return search;
  }

  async #together(key: string, signal: AbortSignal): Promise<TipSearch> {
    const run = () => this.#calls.run(TOGETHER, signal, (shared) => this.#ask(TOGETHER, () => this.#all(), shared));
    let answer = await run();
    // The call that was under way had been put before this ref was asked for.
    if (!answer.keys.has(key)) answer = await run();
    return answer.search;
  }

  async #ask(call: string, wanted: () => AskedRef[], signal: AbortSignal): Promise<Answer> {
    // Callers of the same turn share this question. Who comes after it was put may have pushed since, and puts a new one.
    await setImmediate();
    this.#calls.close(call);
    const queries = wanted();
    const at = this.#now();
    const prefixes = wireForm(new Set(queries.map(refPrefix)));
    const search = await this.#server.refs(prefixes, () => new TipSearch(queries), signal);
    const answer = { search, keys: new Set(queries.map(keyOf)), at };
    if (!this.#answer || this.#answer.at < at) this.#answer = answer;
    return answer;
  }

  /** What somebody has asked for lately. */
  #all(): AskedRef[] {
    for (const [key, { query, at }] of this.#asked) {
      const forgetMs = query.kind === 'semver' ? FORGET_RANGE_MS : FORGET_AFTER_MS;
      if (this.#now() - at > forgetMs) this.#asked.delete(key);
    }
    return [...this.#asked.values()].map(({ query }) => query);
  }

  async #checkEmpty(signal: AbortSignal): Promise<void> {
    const all = await this.#server.refs(['refs/heads/', 'refs/tags/'], () => new TipSearch([]), signal);
    if (all.count === 0) throw gitError('EmptyRepository', `the repository at ${this.#server.host} has no commit yet`);
  }
}

function keyOf(query: AskedRef): string {
  return query.kind === 'ref' ? query.ref : `semver ${query.range}`;
}

function wireForm(prefixes: ReadonlySet<string>): string[] {
  if (prefixes.size <= MAX_PREFIXES) return [...prefixes];
  const others = [...prefixes].filter((prefix) => !/^refs\/(heads|tags)\//.test(prefix));
  return ['refs/heads/', 'refs/tags/', ...others];
}
