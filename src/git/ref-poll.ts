import { setImmediate } from 'node:timers/promises';
import type { RefQuery } from './address.ts';
import { gitError, isGitError } from './errors.ts';
import { chooseTip, refPrefix, type ServerRef } from './refs.ts';
import type { Tip } from './remote.ts';
import { SharedCalls } from '../concurrency/shared-calls.ts';
import type { UploadPack } from './upload-pack.ts';

/** A ref that nobody asked for during this time is no longer asked for along with the others. */
const FORGET_AFTER_MS = 10 * 60_000;
/** From here on the two large folders are asked for as a whole. */
const MAX_PREFIXES = 200;
/** No prefix: those go on behind the slash. */
const TOGETHER = 'refs/';

interface Answer {
  refs: ServerRef[];
  prefixes: ReadonlySet<string>;
  /** When the question was sent: the answer is at least as new as that. */
  at: number;
}

/** The refs of one remote: one question to the server serves every source that watches it, whatever ref each wants. */
export class RefPoll {
  readonly #server: UploadPack;
  readonly #now: () => number;
  readonly #asked = new Map<string, number>();
  /** By prefix, where each is asked for alone; TOGETHER where all are. */
  readonly #calls = new SharedCalls<Answer>();
  #answer: Answer | undefined;
  /** When the answer for all together was too much. */
  #apartSince = -Infinity;

  constructor(server: UploadPack, now: () => number) {
    this.#server = server;
    this.#now = now;
  }

  async resolve(query: RefQuery, maxAgeMs: number, signal: AbortSignal): Promise<Tip> {
    const prefix = refPrefix(query);
    if (prefix === undefined) return chooseTip(query, []);
    const refs = await this.#refs(prefix, maxAgeMs, signal);
    try {
      return chooseTip(query, refs);
    } catch (error) {
      if (isGitError(error, 'RefNotFound') && refs.length === 0) await this.#checkEmpty(signal);
      throw error;
    }
  }

  async #refs(prefix: string, maxAgeMs: number, signal: AbortSignal): Promise<ServerRef[]> {
    this.#asked.set(prefix, this.#now());
    const known = this.#answer;
    if (known?.prefixes.has(prefix) && this.#now() - known.at < maxAgeMs) return known.refs;
    if (this.#now() - this.#apartSince > FORGET_AFTER_MS) {
      try {
        return await this.#together(prefix, signal);
      } catch (error) {
        if (!isGitError(error, 'GitLimitExceeded') || this.#asked.size < 2) throw error;
        // A ref that begins like hundreds of thousands of others ends the question of whoever follows it, and of nobody else.
        this.#apartSince = this.#now();
      }
    }
    const { refs } = await this.#calls.run(prefix, signal, (shared) => this.#ask(prefix, new Set([prefix]), shared));
    return refs;
  }

  async #together(prefix: string, signal: AbortSignal): Promise<ServerRef[]> {
    const run = () => this.#calls.run(TOGETHER, signal, (shared) => this.#ask(TOGETHER, undefined, shared));
    let answer = await run();
    // The call that was under way had been put before this ref was asked for.
    if (!answer.prefixes.has(prefix)) answer = await run();
    return answer.refs;
  }

  /** `only`: what is asked for; left out, all that anybody asks for. */
  async #ask(key: string, only: ReadonlySet<string> | undefined, signal: AbortSignal): Promise<Answer> {
    // Callers of the same turn share this question. Who comes after it was put may have pushed since, and puts a new one.
    await setImmediate();
    this.#calls.close(key);
    const prefixes = only ?? this.#prefixes();
    const at = this.#now();
    const refs = await this.#server.refs(wireForm(prefixes), signal);
    const answer = { refs, prefixes, at };
    if (!this.#answer || this.#answer.at < at) this.#answer = answer;
    return answer;
  }

  #prefixes(): ReadonlySet<string> {
    for (const [prefix, at] of this.#asked) if (this.#now() - at > FORGET_AFTER_MS) this.#asked.delete(prefix);
    return new Set(this.#asked.keys());
  }

  async #checkEmpty(signal: AbortSignal): Promise<void> {
    const all = await this.#server.refs(['refs/heads/', 'refs/tags/'], signal);
    if (all.length === 0) throw gitError('EmptyRepository', `the repository at ${this.#server.host} has no commit yet`);
  }
}

function wireForm(prefixes: ReadonlySet<string>): string[] {
  if (prefixes.size <= MAX_PREFIXES) return [...prefixes];
  const others = [...prefixes].filter((prefix) => !/^refs\/(heads|tags)\//.test(prefix));
  return ['refs/heads/', 'refs/tags/', ...others];
}
