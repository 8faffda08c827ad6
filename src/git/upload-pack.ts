import { open } from 'node:fs/promises';
import { PlumblineError } from '../errors.ts';
import type { Arrival } from './disk-room.ts';
import { gitError } from './errors.ts';
import { limitExceeded, MAX_REFS_BYTES } from './limits.ts';
import {
  fetchRequest,
  readFetch,
  readGreeting,
  readRefs,
  refsRequest,
  type FetchWish,
  type Server,
} from './protocol.ts';
import type { RefSink } from './refs.ts';
import type { GitTransport } from './transport.ts';

/** How long a greeting of protocol v2 is believed: it saves one of two requests for each poll. */
const GREETING_MAX_AGE_MS = 10 * 60_000;

/** What came with a pack. */
export interface FetchedPack {
  shallow: string[];
  unshallow: string[];
  bytes: number;
}

/** Told of each question, by how it ended. */
export type GitObserver = (operation: 'ls-refs' | 'fetch', result: 'ok' | 'error') => void;

/** One repository's server: the questions of Git's protocol, without any memory but the greeting. */
export class UploadPack {
  readonly #transport: GitTransport;
  readonly #now: () => number;
  readonly #observer: GitObserver | undefined;
  #greeting: { server: Server; at: number } | undefined;

  /** `now` in milliseconds, monotonic. */
  constructor(transport: GitTransport, now: () => number, observer?: GitObserver) {
    this.#transport = transport;
    this.#now = now;
    this.#observer = observer;
  }

  get host(): string {
    return this.#transport.host;
  }

  /** The refs with one of these prefixes, [] for all, told to the sink that is returned; an answer that breaks off is told to another. */
  async refs<S extends RefSink>(prefixes: readonly string[], begin: () => S, signal: AbortSignal): Promise<S> {
    let sink = begin();
    const ask = async (server: Server): Promise<S> => {
      // The greeting of v0 was the list of refs.
      if (server.version === 0) return sink;
      sink = begin();
      const request = refsRequest(server, prefixes);
      const options = { version: server.version, ...REFS_LIMIT, signal };
      await readRefs(await this.#transport.upload(request, options), sink);
      return sink;
    };
    return this.#observed(
      'ls-refs',
      this.#withServer(signal, ask, () => (sink = begin())),
    );
  }

  /** What the server can do now. */
  async server(signal: AbortSignal): Promise<Server> {
    return this.#withServer(signal, async (server) => server);
  }

  /** Streams the pack for the wish into a new file, as far as there is room. Throws WantRefused and every error of a transport. */
  async fetch(wish: FetchWish, file: string, maxBytes: number, arrival: Arrival): Promise<FetchedPack> {
    const { signal } = arrival;
    const answer = this.#withServer(signal, async (server) => {
      const request = fetchRequest(server, wish);
      // The bands and lines around the pack take less than one part in a hundred.
      const options = {
        version: server.version,
        maxBytes: Math.ceil(maxBytes * 1.01) + 65536,
        limit: 'packBytes',
        signal,
      };
      const { pack, shallow, unshallow } = await readFetch(await this.#transport.upload(request, options));
      const bytes = await writePack(pack, file, maxBytes, arrival);
      return { shallow, unshallow, bytes };
    });
    return this.#observed('fetch', answer);
  }

  async #observed<T>(operation: Parameters<GitObserver>[0], answer: Promise<T>): Promise<T> {
    try {
      const value = await answer;
      this.#observer?.(operation, 'ok');
      return value;
    } catch (error) {
      this.#observer?.(operation, 'error');
      throw error;
    }
  }

  /** Asks with the remembered greeting; when that fails as if the server had changed, once more with a new one. */
  async #withServer<T>(
    signal: AbortSignal,
    ask: (server: Server) => Promise<T>,
    refsOfGreeting?: () => RefSink,
  ): Promise<T> {
    const known = this.#greeting;
    if (known && this.#now() - known.at < GREETING_MAX_AGE_MS) {
      try {
        return await ask(known.server);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof PlumblineError) || !CHANGED.has(error.code)) throw error;
        this.#greeting = undefined;
      }
    }
    return ask(await this.#greet(signal, refsOfGreeting?.()));
  }

  async #greet(signal: AbortSignal, refs: RefSink | undefined): Promise<Server> {
    const server = await readGreeting(await this.#transport.discover({ signal, ...REFS_LIMIT }), refs);
    this.#greeting = server.version === 2 ? { server, at: this.#now() } : undefined;
    return server;
  }
}

const REFS_LIMIT = { maxBytes: MAX_REFS_BYTES, limit: 'refs bytes' };

const CHANGED: ReadonlySet<string> = new Set(['GitProtocolError', 'RepositoryNotFound', 'RedirectRefused']);

async function writePack(
  pack: AsyncIterable<Uint8Array>,
  file: string,
  maxBytes: number,
  arrival: Arrival,
): Promise<number> {
  let bytes = 0;
  await using handle = await open(file, 'w', 0o600);
  for await (const chunk of pack) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw limitExceeded('packBytes', `the pack has more than ${maxBytes} bytes`);
    await arrival.add(chunk.length);
    for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
  }
  if (bytes === 0) throw gitError('GitProtocolError', 'the answer of the Git server holds no pack');
  return bytes;
}
