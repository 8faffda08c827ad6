import { Worker } from 'node:worker_threads';
import { gitError } from './errors.ts';
import { abortable } from '../concurrency/abortable.ts';
import type { FromWorker, GitJob, GitJobs, ToWorker } from './worker-jobs.ts';

/** The one place that knows where the worker's code is: beside this file, or beside the bundle that holds this file. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './git-worker.js', import.meta.url);
}

export interface WorkerOptions {
  /** The thread ends after this time without work; it costs about 20 MB. */
  idleMs: number;
  /** The process may grow by this many bytes while the worker works; buffers are outside of V8's own limits. */
  growthBytes: number;
}

/** The mirror on disk cannot be read: it must be fetched anew. */
export class MirrorDamaged extends Error {}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

const WATCH_MS = 250;
const HEAP_MB = 1024;

/** The thread that reads Git objects: started with the first job, ended when idle, started again when it died. */
export class GitWorker {
  readonly #options: WorkerOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #lastId = 0;
  #closed = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Throws the job's own error, MirrorDamaged, GitWorkerFailed, or the reason of the signal (the job then ends soon). */
  async call<J extends GitJob>(job: J, ask: GitJobs[J]['ask'], signal: AbortSignal): Promise<GitJobs[J]['answer']> {
    signal.throwIfAborted();
    if (this.#closed) throw gitError('GitWorkerFailed', 'the Git worker is shut down');
    const worker = this.#running();
    const id = (this.#lastId += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage({ id, job, ask });
    try {
      return (await abortable(promise, signal)) as GitJobs[J]['answer'];
    } catch (error) {
      if (signal.aborted) this.#worker?.postMessage({ id, job: 'cancel' } satisfies ToWorker);
      throw error;
    } finally {
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#rest();
    }
  }

  /** Starts the thread, which takes a tenth of a second, ahead of a job that is about to come. */
  warmUp(): void {
    if (this.#closed) return;
    this.#running();
    this.#rest();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.restart('the Git worker is shut down');
  }

  /** Ends the thread; calls under way fail with this message, and the next call starts it again. */
  async restart(message: string): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    if (!worker) return;
    this.#ended(worker, message);
    await worker.terminate();
  }

  #running(): Worker {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#watch ??= this.#watchMemory();
    return this.#worker;
  }

  #start(): Worker {
    const worker = new Worker(workerUrl(), {
      name: 'git',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: 16 },
    });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#ended(worker, 'the Git worker failed; it is started again', error));
    worker.on('exit', () => this.#ended(worker, 'the Git worker ended; it is started again'));
    return worker;
  }

  #receive({ id, answer, failure }: FromWorker): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    if (!failure) pending.resolve(answer);
    else if (failure.code === undefined) pending.reject(new MirrorDamaged(failure.message));
    else pending.reject(gitError(failure.code, failure.message));
  }

  #ended(worker: Worker, message: string, cause?: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearInterval(this.#watch);
    this.#watch = undefined;
    for (const pending of this.#pending.values()) pending.reject(gitError('GitWorkerFailed', message, { cause }));
    this.#pending.clear();
  }

  #rest(): void {
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#worker?.unref();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.restart('the Git worker was idle'), this.#options.idleMs);
    this.#idle.unref();
  }

  #watchMemory(): NodeJS.Timeout {
    const allowed = process.memoryUsage.rss() + this.#options.growthBytes;
    return setInterval(() => {
      if (process.memoryUsage.rss() > allowed) void this.restart('the Git worker used too much memory and was ended');
    }, WATCH_MS);
  }
}
