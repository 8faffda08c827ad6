import type { Dispatcher } from 'undici';
import { KubeError } from './errors.ts';
import { errorFromStatus } from './status.ts';

/** `body` is the parsed JSON (integers beyond 2^53 are rounded: never send it back), undefined when there was none. */
export interface Answer {
  status: number;
  body: unknown;
  /** The texts of the server's Warning headers. */
  warnings: string[];
  headers: Headers;
}

type Headers = Record<string, string | string[] | undefined>;
type Response = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>;

const MAX_ERROR_BYTES = 64 * 1024;

/** Throws the KubeError of every answer that is not 2xx, or whose body is not the JSON that it claims to be. */
export function answerOf(response: Response, text: string, request: string): Answer {
  const { statusCode: status, headers } = response;
  if (status < 200 || status >= 300) throw failure(response, text, request);
  return { status, body: parse(headers, text, request), warnings: parseWarnings(headers['warning']), headers };
}

export function failure({ statusCode: status, headers }: Response, text: string, request: string): KubeError {
  let body: unknown;
  try {
    body = parse(headers, text, request);
  } catch {
    // A proxy's error page: the status says it.
  }
  const retryAfter = headers['retry-after'];
  return errorFromStatus(
    { status, body, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined },
    request,
  );
}

/** The start of an error's body; the rest is not worth the memory. */
export async function readCapped(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `299 - "text with \"quotes\""`, several in one header or in several. RFC 9111 dropped the header, Kubernetes uses it. */
export function parseWarnings(header: string | string[] | undefined): string[] {
  const warnings: string[] = [];
  for (const line of [header ?? []].flat()) {
    for (const [, text = ''] of line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g))
      warnings.push(text.replace(/\\(.)/g, '$1'));
  }
  return warnings;
}

function parse(headers: Headers, text: string, request: string): unknown {
  if (text === '' || !String(headers['content-type']).includes('json')) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the body.
    throw new KubeError('ApiUnexpectedAnswer', `the answer to ${request} is not valid JSON: is a proxy in between?`);
  }
}
