import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { KubeObject } from '../src/kube/object.ts';

export interface RequestOptions {
  /** A string or bytes go as they are, anything else as JSON. */
  body?: unknown;
  /** Default: application/json, for PATCH a JSON merge patch. For server-side apply: application/apply-patch+yaml. */
  contentType?: string;
  /** Default: the admin's. '' sends none. */
  token?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface ClusterResponse<Body> {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The parsed answer when it is JSON, otherwise its text. */
  body: Body;
}

/** One request to the API server as a test needs it: an answer of any status resolves; only a broken connection rejects. */
export type ClusterRequest = <Body = KubeObject>(
  method: Dispatcher.HttpMethod,
  path: string,
  options?: RequestOptions,
) => Promise<ClusterResponse<Body>>;

const APPLY = 'application/apply-patch+yaml';
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/**
 * Requests over kept-alive connections that hold no process open. Independent of src/kube, which is what is tested. Reads and
 * server-side applies are sent once more when the connection breaks under them. `explain`: what to say besides when there is
 * no answer.
 */
export function clusterRequest(
  about: { url: string; caFile: string; token: string },
  explain: () => string,
): ClusterRequest {
  const dispatcher = new Agent({ connect: { ca: readFileSync(about.caFile) } });
  const send = async (method: Dispatcher.HttpMethod, path: string, options: RequestOptions = {}) => {
    const token = options.token ?? about.token;
    const answer = await request(about.url + path, {
      dispatcher,
      method,
      signal: options.signal ?? AbortSignal.timeout(60_000),
      headers: {
        accept: 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? defaultType(method) }),
        ...options.headers,
      },
      body: options.body === undefined ? null : serialise(options.body),
    });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    return { status: answer.statusCode, headers: answer.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  };
  const sendTwice = async (...request: Parameters<typeof send>) => {
    const [method, , { contentType } = {}] = request;
    const isRepeatable = method === 'GET' || contentType === APPLY;
    try {
      return await send(...request).catch((error: unknown) => {
        if (isRepeatable && BROKEN.has((error as NodeJS.ErrnoException).code ?? '')) return send(...request);
        throw error;
      });
    } catch (error) {
      // Not of an abort, whose message is read-only.
      if (typeof (error as NodeJS.ErrnoException).code === 'string') (error as Error).message += explain();
      throw error;
    }
  };
  return sendTwice as ClusterRequest;
}

function serialise(body: unknown): string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}

function defaultType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}
