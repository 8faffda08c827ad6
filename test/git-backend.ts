import { execFileSync, spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** What git says about itself; each can be taken away, since real servers differ. */
export interface GitCapabilities {
  /** false: the server speaks only the old protocol. */
  protocolV2: boolean;
  /** Partial clone (`uploadpack.allowFilter`). */
  filter: boolean;
  /** Objects that no ref names may be asked for (`uploadpack.allowAnySHA1InWant`). */
  anyObject: boolean;
  /** git cannot switch it off: the advertisement is rewritten, and who asks all the same is refused. */
  shallow: boolean;
}

export interface BackendAnswer {
  status: number;
  headers: Record<string, string>;
  body: Readable;
}

/** git's CGI program, and the folder whose repositories it serves. */
export interface Backend {
  program: string;
  root: string;
}

export function findBackend(root: string): Backend {
  try {
    const folder = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim();
    return { program: join(folder, 'git-http-backend'), root };
  } catch (error) {
    throw new Error('The test Git server is git itself, but no `git` is in the PATH. Install git.', { cause: error });
  }
}

/** Runs `git http-backend` (CGI) for one request. `body` is what the client sent. */
export async function runBackend(
  { program, root }: Backend,
  request: IncomingMessage,
  body: Readable | Buffer,
  capabilities: GitCapabilities,
): Promise<BackendAnswer> {
  const child = spawn(program, { env: cgiEnvironment(root, request, capabilities), stdio: ['pipe', 'pipe', 'ignore'] });
  // It may answer without having read all; and a client that has gone away wants no answer.
  child.stdin.on('error', () => {});
  const leave = () => void child.kill('SIGKILL');
  request.socket.once('close', leave);
  child.once('close', () => request.socket.off('close', leave));
  (body instanceof Readable ? body : Readable.from([body])).pipe(child.stdin);
  return readHeaders(child.stdout);
}

function cgiEnvironment(root: string, request: IncomingMessage, capabilities: GitCapabilities): NodeJS.ProcessEnv {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { headers } = request;
  return {
    PATH: process.env['PATH'],
    ...gitConfig({
      'http.receivepack': 'true',
      'receive.autogc': 'false',
      'core.fsync': 'none',
      'receive.denyDeleteCurrent': 'ignore',
      'uploadpack.allowFilter': String(capabilities.filter),
      'uploadpack.allowAnySHA1InWant': String(capabilities.anyObject),
    }),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: headers['content-type'] ?? '',
    ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    ...(capabilities.protocolV2 ? { GIT_PROTOCOL: String(headers['git-protocol'] ?? '') } : {}),
    REMOTE_ADDR: '127.0.0.1',
  };
}

/** Environment that gives git these settings and none from the machine's or user's files. */
export function gitConfig(settings: Record<string, string>): Record<string, string> {
  const entries = Object.entries(settings);
  return {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** Splits what a CGI program prints: header lines, an empty line, the body. */
async function readHeaders(output: Readable): Promise<BackendAnswer> {
  let start = Buffer.alloc(0);
  let end = -1;
  while (end < 0) {
    const chunk = (output.read() as Buffer | null) ?? (await nextReadable(output));
    if (chunk === undefined) throw new Error('git http-backend ended without an answer');
    start = Buffer.concat([start, chunk]);
    end = start.indexOf('\r\n\r\n');
  }
  output.unshift(start.subarray(end + 4));
  const lines = start.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const { status = '200', ...rest } = headers;
  return { status: Number.parseInt(status, 10), headers: rest, body: output };
}

/** Resolves with an empty buffer when there is something to read, and with undefined at the end. */
function nextReadable(output: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (value: Buffer | undefined) => {
      output.off('readable', more).off('end', over).off('error', reject);
      resolve(value);
    };
    const more = () => settle(output.readableEnded ? undefined : Buffer.alloc(0));
    const over = () => settle(undefined);
    output.once('readable', more).once('end', over).once('error', reject);
  });
}
