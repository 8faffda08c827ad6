import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { abortable } from '../concurrency/abortable.ts';
import { PlumblineError } from '../errors.ts';
import type { Guard } from '../edge/guard.ts';
import type { EdgeSettings, SecretShape } from '../edge/input.ts';
import type { Answer, Ask, Exhibit } from './judge.ts';
import type { Entry } from './world.ts';

/** The one place that knows where the thread's code is: beside this file, or beside the bundle that holds this file. */
function threadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './edge-thread.js', import.meta.url);
}

export interface EdgeQuestion {
  /** Everything that counts, by identityKey. */
  entries: ReadonlyMap<string, Entry>;
  secrets: ReadonlyMap<string, SecretShape | undefined>;
  readers: ReadonlySet<string>;
  settings: EdgeSettings;
  guard: Guard;
}

/** The thread takes its memory with it when it ends: after so long without work. */
const IDLE_MS = 30_000;
/** Ten thousand policies take some seconds on a busy machine; what takes so long does not end. */
const TIMEOUT_MS = 120_000;
const HEAP_MB = 512;

/** Has edges judged in a thread that runs only while there is something to judge. One question at a time. */
export class EdgeThread {
  readonly #clock: Clock;
  #worker: Worker | undefined;
  /** What the thread holds. */
  #sent = new Map<string, Entry>();
  #cancelIdle: (() => void) | undefined;
  /** Tells whoever waits for an answer that none will come. */
  #fail: (why: string, cause?: unknown) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws EdgeJudgementFailed when the thread ends over it, or the reason of the signal. */
  async ask({ entries, ...rest }: EdgeQuestion, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    this.#cancelIdle?.();
    const worker = (this.#worker ??= this.#start());
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#fail = (why, cause) =>
      reject(
        new PlumblineError('EdgeJudgementFailed', `what the edge would do could not be worked out: ${why}`, { cause }),
      );
    const cancelTimeout = this.#clock.after(TIMEOUT_MS, () => this.#fail('it takes too long'));
    worker.once('message', resolve);
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ ...this.#difference(entries), ...rest } satisfies Ask);
      return await abortable(promise, signal);
    } catch (error) {
      // Its answer would be taken for that to the next question.
      this.#end();
      throw error;
    } finally {
      cancelTimeout();
      worker.off('message', resolve);
      this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.#end());
    }
  }

  /** Ends the thread now; the next question starts it again. */
  close(): void {
    this.#cancelIdle?.();
    this.#end();
  }

  #start(): Worker {
    this.#sent = new Map();
    const limits = { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 8 };
    const worker = new Worker(threadUrl(), { name: 'edge', resourceLimits: limits });
    const ended = (why: string, cause?: unknown) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#fail(why, cause);
    };
    worker.on('error', (error) => ended((error as Error).message, error));
    worker.on('exit', () => ended('the thread ended'));
    worker.unref();
    return worker;
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#sent = new Map();
    // Nobody waits for it: it has nothing to finish.
    void worker?.terminate();
  }

  #difference(entries: ReadonlyMap<string, Entry>): Pick<Ask, 'put' | 'gone'> {
    const put: Exhibit[] = [];
    for (const [key, { body, origin }] of entries) {
      const before = this.#sent.get(key);
      if (before?.body !== body) put.push({ key, origin, body });
      else if (!isSameOrigin(before.origin, origin)) put.push({ key, origin });
    }
    const gone = [...this.#sent.keys()].filter((key) => !entries.has(key));
    this.#sent = new Map(entries);
    return { put, gone };
  }
}

function isSameOrigin(a: Entry['origin'], b: Entry['origin']): boolean {
  return a.source === b.source && a.file === b.file && a.line === b.line;
}
