// The entry of the worker thread: indexes packs and reads objects, so that neither ever blocks the main thread.
import { setImmediate } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { PlumblineError } from '../errors.ts';
import { parseCommit } from './commit.ts';
import { diskError, gitError, type GitErrorCode } from './errors.ts';
import { limitExceeded } from './limits.ts';
import { ObjectStore } from './object-store.ts';
import type { Pause } from './pack-check.ts';
import { ParsedTrees } from './parsed-trees.ts';
import { MANIFEST } from './remote.ts';
import { walkTree, type ObjectReader } from './tree-walk.ts';
import type { StoredObject } from './pack-reader.ts';
import type { FromWorker, GitJob, GitJobs, ToWorker } from './worker-jobs.ts';

/** Between two looks at the message queue: how soon a cancelled job ends, how fairly jobs share the thread. */
const SLICE_MS = 20;
const KEEP_OPEN_MS = 1000;
/** Blobs that are fetched before anybody asked for them. */
const AHEAD_LIMIT = 2000;

type Handlers = { [J in GitJob]: (ask: GitJobs[J]['ask'], pause: Pause) => Promise<GitJobs[J]['answer']> };

const stores = new Map<string, ObjectStore>();
const parsed = new ParsedTrees();
const running = new Map<number, AbortController>();
let trimming: NodeJS.Timeout | undefined;

const handlers: Handlers = {
  async index({ dir, file, packs, limits, wants }, pause) {
    const store = storeOf(dir);
    store.keepFirst(packs);
    const indexBytes = await store.add(file, limits, pause);
    try {
      for (const oid of wants) {
        const object = store.read(oid);
        const root = object?.type === 'commit' ? store.read(parseCommit(oid, object.content).tree) : object;
        if (!root) throw gitError('GitProtocolError', 'the Git server leaves out objects that it was asked for');
      }
    } catch (error) {
      store.keepFirst(packs);
      throw error;
    }
    return { indexBytes };
  },

  async tree({ dirs, commit, path, limits }, pause) {
    const reader = readerOf(dirs, pause);
    const object = await reader.any(commit);
    if (!object) return { kind: 'missing-commit' };
    if (object.type !== 'commit') throw gitError('NotACommit', `the ref names a ${object.type}, not a commit`);
    const { tree: root, ...head } = parseCommit(commit, object.content);
    const walked = await walkTree(root, path, reader, limits);
    if (walked.kind === 'missing-tree') return { kind: 'missing-commit' };
    if (walked.kind === 'missing-blobs') return walked;
    return { kind: 'complete', tree: { commit: head, treeId: walked.treeId, files: walked.files } };
  },

  async blobs({ dirs, commit, oids, limits }, pause) {
    const reader = readerOf(dirs, pause);
    const found = new Map<string, Uint8Array>();
    const missing: string[] = [];
    let bytes = 0;
    for (const oid of oids) {
      const content = await reader.blob(oid);
      bytes += content?.length ?? 0;
      // A few kilobytes of a pack can be unpacked to gigabytes.
      if (bytes > limits.readBytes)
        throw limitExceeded('readBytes', `files that are read together have more than ${limits.readBytes} bytes`);
      if (!content) missing.push(oid);
      else if (content.length > limits.fileBytes) {
        const name = await nameOf(oid, dirs, commit, limits, pause);
        const size = `${content.length} bytes, more than ${limits.fileBytes}`;
        throw limitExceeded('fileBytes', `the file ${name} has ${size}`);
      } else found.set(oid, content);
    }
    return { found, missing };
  },

  async missing({ dirs, oids }, pause) {
    const missing: string[] = [];
    for (const oid of oids) {
      await pause();
      if (!dirs.some((dir) => storeOf(dir).has(oid))) missing.push(oid);
    }
    return missing;
  },

  async lacking({ dirs, commit, paths, limits }, pause) {
    const lacking = new Set<string>();
    for (const path of paths) {
      // Whoever asked for this folder is told what is wrong with it.
      const answer = await handlers.tree({ dirs, commit, path, limits }, pause).catch(unlessAborted);
      const files = answer?.kind === 'complete' ? answer.tree.files : [];
      for (const { path: name, oid, problem } of files) {
        if (lacking.size >= AHEAD_LIMIT) return [...lacking];
        if (!problem && MANIFEST.test(name) && !dirs.some((dir) => storeOf(dir).has(oid))) lacking.add(oid);
      }
    }
    return [...lacking];
  },

  async forget({ dir }) {
    stores.get(dir)?.close();
    stores.delete(dir);
    return null;
  },
};

function unlessAborted(error: unknown): undefined {
  if (!(error instanceof PlumblineError)) throw error;
}

function storeOf(dir: string): ObjectStore {
  let store = stores.get(dir);
  if (!store) stores.set(dir, (store = new ObjectStore(dir)));
  return store;
}

/** The jobs of one commit follow each other closely and read the same packs; after them everything is given back. */
function trimSoon(): void {
  clearTimeout(trimming);
  trimming = setTimeout(() => {
    for (const store of stores.values()) store.close();
    parsed.clear();
  }, KEEP_OPEN_MS);
}

function readerOf(
  dirs: string[],
  pause: Pause,
): ObjectReader & { any(oid: string): Promise<StoredObject | undefined> } {
  const any = async (oid: string): Promise<StoredObject | undefined> => {
    await pause();
    for (const dir of dirs) {
      const object = storeOf(dir).read(oid);
      if (object) return object;
    }
    return undefined;
  };
  const typed = (type: StoredObject['type']) => async (oid: string) => {
    const object = await any(oid);
    if (!object || object.type === type) return object?.content;
    throw gitError('HostileTree', `the commit calls the object ${oid} a ${type}, but it is a ${object.type}`);
  };
  return { any, tree: typed('tree'), blob: typed('blob'), parsed: parsed.within(dirs[0] ?? '') };
}

/** The first file of the commit that has this content, for a message; the id when it cannot be found. */
async function nameOf(
  oid: string,
  dirs: string[],
  commit: string,
  limits: GitJobs['tree']['ask']['limits'],
  pause: Pause,
) {
  const unlimited = { ...limits, fileCount: limits.objectCount };
  const answer = await handlers.tree({ dirs, commit, path: [], limits: unlimited }, pause).catch(() => undefined);
  const file = answer?.kind === 'complete' ? answer.tree.files.find((candidate) => candidate.oid === oid) : undefined;
  return file?.path ?? oid;
}

async function run(message: Exclude<ToWorker, { job: 'cancel' }>): Promise<void> {
  const controller = new AbortController();
  running.set(message.id, controller);
  let sliceEnd = performance.now() + SLICE_MS;
  const pause: Pause = () => {
    if (performance.now() < sliceEnd) return undefined;
    return setImmediate().then(() => {
      controller.signal.throwIfAborted();
      sliceEnd = performance.now() + SLICE_MS;
    });
  };
  const reply: FromWorker = { id: message.id };
  try {
    // The type of `ask` belongs to the job of the same message.
    reply.answer = await (handlers[message.job] as (ask: unknown, pause: Pause) => Promise<unknown>)(
      message.ask,
      pause,
    );
  } catch (error) {
    reply.failure = failureOf(error);
  }
  running.delete(message.id);
  trimSoon();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(reply);
}

function failureOf(caught: unknown): NonNullable<FromWorker['failure']> {
  const error = diskError(caught);
  if (error instanceof PlumblineError) return { code: error.code as GitErrorCode, message: error.message };
  return { message: error instanceof Error ? error.message : 'unknown' };
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.job === 'cancel') running.get(message.id)?.abort();
  else void run(message);
});
