import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { abortable } from '../concurrency/abortable.ts';
import { PlumblineError } from '../errors.ts';
import { speedFirst } from '../speed-first.ts';
import type { Guard } from '../edge/guard.ts';
import type { EdgeSettings, SecretShape } from '../edge/input.ts';
import type { Body } from '../render/body.ts';
import type { Answer, Ask, Difference, Exhibits } from './judge.ts';
import type { Shown } from './world.ts';

/** The one place that knows where the thread's code is: beside this file, or beside the bundle that holds this file. */
function threadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './edge-thread.js', import.meta.url);
}

export interface EdgeQuestion {
  /** Shows everything that counts. */
  show: (shown: Shown) => void;
  secrets: ReadonlyMap<string, SecretShape | undefined>;
  readers: ReadonlySet<string>;
  settings: EdgeSettings;
  guard: Guard;
}

/** What the thread holds of an object, and the question that it was last part of. */
interface Sent {
  body: Body;
  source: string | undefined;
  file: string | undefined;
  line: number | undefined;
  question: number;
}

/** The thread takes its memory with it when it ends: after so long without work. */
const IDLE_MS = 30_000;
/**
 * Characters of JSON in one message: the thread reads the first objects while the others are still written, and neither side
 * holds the texts of thousands twice.
 */
const PART_LENGTH = 256 * 1024;
/** Ten thousand policies take some seconds on a busy machine; what takes so long does not end. */
const TIMEOUT_MS = 120_000;
/** Ten thousand policies need less than a third of it. */
const MOST_HEAP_MB = 512;
/** With less not even small edges are judged. */
const LEAST_HEAP_MB = 64;

/**
 * How much the thread may hold: half of what the container may use (`constrained`, in bytes; 0 for no limit). Policies made to
 * be large must end their own judgement, not the process that serves everybody.
 */
export function heapMb(constrained: number): number {
  if (constrained <= 0) return MOST_HEAP_MB;
  const half = Math.floor(constrained / 2 / 1024 ** 2);
  return Math.min(MOST_HEAP_MB, Math.max(LEAST_HEAP_MB, half));
}

/** Has edges judged in a thread that runs only while there is something to judge. One question at a time. */
export class EdgeThread {
  readonly #clock: Clock;
  #worker: Worker | undefined;
  /** What the thread holds, by identityKey. */
  readonly #sent = new Map<string, Sent>();
  #question = 0;
  #cancelIdle: (() => void) | undefined;
  /** Tells whoever waits for an answer that none will come. */
  #fail: (why: string, cause?: unknown) => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws EdgeJudgementFailed when the thread ends over it, or the reason of the signal. */
  async ask(question: EdgeQuestion, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    return speedFirst(() => this.#answerTo(question, signal));
  }

  /** Ends the thread now; the next question starts it again. */
  close(): void {
    this.#cancelIdle?.();
    this.#end();
  }

  async #answerTo({ show, ...rest }: EdgeQuestion, signal: AbortSignal): Promise<Answer> {
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
      const post = (message: Difference | Ask) => {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        worker.postMessage(message);
      };
      this.#tellDifference(show, post);
      post(rest);
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

  #start(): Worker {
    this.#sent.clear();
    const limits = { maxOldGenerationSizeMb: heapMb(process.constrainedMemory()), maxYoungGenerationSizeMb: 6 };
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
    this.#sent.clear();
    // Nobody waits for it: it has nothing to finish.
    void worker?.terminate();
  }

  /** Tells what is shown as the difference to what the thread holds; from here on it holds that. */
  #tellDifference(show: EdgeQuestion['show'], post: (part: Difference) => void): void {
    let put = noExhibits();
    let length = 0;
    const sent = this.#sent;
    const question = ++this.#question;
    let count = 0;
    show((key, body, source, file, line) => {
      const before = sent.get(key);
      if (before?.question === question) return;
      count += 1;
      if (!before) sent.set(key, { body, source, file, line, question });
      else before.question = question;
      const isKnown = before !== undefined && before.body.equals(body);
      // Of two that are equal the later one is held by others too.
      if (isKnown) before.body = body;
      if (isKnown && isFrom(before, source, file, line)) return;
      const text = isKnown ? undefined : body.text;
      put.keys.push(key);
      put.bodies.push(text);
      put.sources.push(source);
      put.files.push(file);
      put.lines.push(line);
      if (before) Object.assign(before, { body, source, file, line });
      length += text?.length ?? 0;
      if (length < PART_LENGTH) return;
      post({ put, gone: [] });
      put = noExhibits();
      length = 0;
    });
    post({ put, gone: count < sent.size ? this.#forgetAllBut(question) : [] });
  }

  /** Keys of what was not part of this question. */
  #forgetAllBut(question: number): string[] {
    const gone = [...this.#sent].filter(([, one]) => one.question !== question).map(([key]) => key);
    for (const key of gone) this.#sent.delete(key);
    return gone;
  }
}

function noExhibits(): Exhibits {
  return { keys: [], bodies: [], sources: [], files: [], lines: [] };
}

function isFrom(sent: Sent, source?: string, file?: string, line?: number): boolean {
  return sent.source === source && sent.file === file && sent.line === line;
}
