import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { PlumblineError } from '../errors.ts';
import { gitError } from './errors.ts';
import { limitExceeded } from './limits.ts';
import { networkError } from './network-error.ts';
import type { Remote } from './remote.ts';
import type { GitTransport, TransportCall } from './transport.ts';

const SERVICE = 'git-upload-pack';
const DISCOVERY = `/info/refs?service=${SERVICE}`;
const MAX_REDIRECTS = 5;

interface Question {
  method: 'GET' | 'POST';
  /** From the root of the repository's URL. */
  path: string;
  body?: string;
  headers: Record<string, string>;
  answerType: string;
}

/**
 * Smart HTTP. Redirects are followed on the same host only (or from http to https there), for the POST too; the
 * credentials live in memory and go to that host alone.
 */
export class HttpTransport implements GitTransport {
  readonly host: string;
  /** Where every greeting is asked for: what it redirects to may be another place tomorrow. */
  readonly #base: URL;
  /** Where the last greeting came from. */
  #place: URL;
  readonly #headers: Record<string, string>;
  readonly #dispatcher: Dispatcher;
  readonly #hasCredentials: boolean;

  /** `base` is a checked URL (checkUrl). */
  constructor(base: URL, options: { auth?: Remote['auth']; dispatcher: Dispatcher; userAgent: string }) {
    this.#base = base;
    this.#place = base;
    this.host = base.host;
    this.#dispatcher = options.dispatcher;
    this.#hasCredentials = options.auth !== undefined;
    this.#headers = { 'user-agent': options.userAgent, 'accept-encoding': 'gzip', ...authorization(options.auth) };
  }

  async discover(call: TransportCall): Promise<AsyncIterable<Uint8Array>> {
    const { bytes, url } = await this.#ask(
      this.#base,
      {
        method: 'GET',
        path: DISCOVERY,
        headers: { 'git-protocol': 'version=2' },
        answerType: `application/x-${SERVICE}-advertisement`,
      },
      call,
    );
    // Where the greeting really came from is where the questions must go.
    this.#place = url.href.endsWith(DISCOVERY) ? new URL(url.href.slice(0, -DISCOVERY.length)) : this.#base;
    return bytes;
  }

  async upload(body: string, call: TransportCall & { version: 0 | 2 }): Promise<AsyncIterable<Uint8Array>> {
    const headers: Record<string, string> = {
      'content-type': `application/x-${SERVICE}-request`,
      accept: `application/x-${SERVICE}-result`,
      ...(call.version === 2 ? { 'git-protocol': 'version=2' } : {}),
    };
    const question = {
      method: 'POST',
      path: `/${SERVICE}`,
      body,
      headers,
      answerType: headers['accept'] ?? '',
    } as const;
    return (await this.#ask(this.#place, question, call)).bytes;
  }

  async #ask(
    base: URL,
    question: Question,
    call: TransportCall,
  ): Promise<{ bytes: AsyncIterable<Uint8Array>; url: URL }> {
    let url = new URL(base.href.replace(/\/$/, '') + question.path);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await this.#request(url, question, call.signal);
      const location = response.headers['location'];
      if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
        discard(response.body);
        url = redirected(url, location);
        continue;
      }
      try {
        this.#checkAnswer(response, question.answerType);
      } catch (error) {
        discard(response.body);
        throw error;
      }
      const packed = response.headers['content-encoding'] === 'gzip';
      return { bytes: this.#read(response.body, packed, call), url };
    }
    throw gitError('RedirectRefused', `${this.host} redirects more than ${MAX_REDIRECTS} times`);
  }

  async #request(url: URL, question: Question, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const options = {
      origin: url.origin,
      path: url.pathname + url.search,
      method: question.method,
      headers: { ...this.#headers, ...question.headers },
      ...(question.body === undefined ? {} : { body: question.body }),
      signal,
    };
    try {
      return await this.#dispatcher.request(options);
    } catch (error) {
      signal.throwIfAborted();
      // A kept-alive connection may be closed by the server at the moment we use it; every question is a read.
      if ((error as { code?: string }).code !== 'UND_ERR_SOCKET') throw networkError(error, this.host);
    }
    try {
      return await this.#dispatcher.request(options);
    } catch (error) {
      signal.throwIfAborted();
      throw networkError(error, this.host);
    }
  }

  #checkAnswer({ statusCode, headers }: Dispatcher.ResponseData, answerType: string): void {
    if (statusCode === 401 || statusCode === 403) {
      const why = this.#hasCredentials ? 'refuses the credentials' : 'asks for credentials and none are configured';
      throw gitError('AuthenticationFailed', `${this.host} ${why} (HTTP ${statusCode})`);
    }
    if (statusCode === 404 || statusCode === 410) {
      throw gitError('RepositoryNotFound', `${this.host} has no such repository, or hides it from this account`);
    }
    if (statusCode === 429 || statusCode >= 500) {
      throw gitError('GitUnreachable', `${this.host} cannot serve now (HTTP ${statusCode})`);
    }
    if (statusCode !== 200) throw gitError('GitProtocolError', `${this.host} answers HTTP ${statusCode}`);
    const type = String(headers['content-type'] ?? '').split(';', 1)[0];
    if (type !== answerType) {
      throw gitError(
        'GitProtocolError',
        `${this.host} does not answer as a smart Git server: check the path of the URL`,
      );
    }
  }

  async *#read(
    body: Readable,
    packed: boolean,
    { signal, maxBytes, limit }: TransportCall,
  ): AsyncGenerator<Uint8Array> {
    // The callback keeps a late error from being unhandled; the loop below sees it first.
    const source = packed ? pipeline(body, createGunzip(), () => undefined) : body;
    let bytes = 0;
    try {
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw limitExceeded(limit, `${this.host} sends more than ${maxBytes} bytes`);
        yield chunk;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof PlumblineError ? error : networkError(error, this.host);
    } finally {
      discard(body);
    }
  }
}

function authorization(auth: Remote['auth']): Record<string, string> {
  if (auth === undefined) return {};
  if ('bearerToken' in auth) return { authorization: `Bearer ${auth.bearerToken}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}

/** The next address after a redirect. Throws RedirectRefused; exported for its table of cases. */
export function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (!to) throw gitError('RedirectRefused', `${from.host} redirects to something that is not a URL`);
  if (to.username !== '' || to.password !== '') {
    throw gitError('RedirectRefused', `${from.host} redirects to a URL with credentials in it`);
  }
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.hostname === to.hostname;
  if (upgraded || (to.protocol === from.protocol && to.host === from.host)) return to;
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw gitError('RedirectRefused', `${from.host} redirects from https to plain http`);
  }
  throw gitError('RedirectRefused', `${from.host} redirects to another host: set the URL to the final address`);
}

function discard(body: Readable): void {
  if (body.destroyed) return;
  body.on('error', () => undefined);
  body.destroy();
}
