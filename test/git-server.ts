// A real Git server on loopback: `git http-backend` behind Node's http, with faults on demand.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Remote } from '../src/git/remote.ts';
import { buildCluster } from './cluster-binary.ts';
import { findBackend, runBackend } from './git-backend.ts';
import type { Backend, GitCapabilities } from './git-backend.ts';
import { Repository, authorization } from './git-repository.ts';
import { corruptPack, readUploadRequest, withoutShallow, writePacket } from './git-wire.ts';

/** One request of a reader. Our own pushes are not counted and meet no fault. */
export interface GitRequest {
  /** Name of the repository, without `.git`. */
  repository: string;
  /** GET info/refs, the command of a POST, or a file of the dumb protocol. */
  operation: 'advertise' | 'ls-refs' | 'fetch' | 'other';
  headers: IncomingMessage['headers'];
  /** Of a POST: its pkt-lines as text (`want <oid>`, `filter blob:none`, …). */
  lines: string[];
  requestBytes: number;
  /** Grows while the answer goes out. */
  responseBytes: number;
  /** 0 until it is answered. */
  status: number;
}

/** An answer in git's place. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/**
 * `hang` takes the request and never answers, `reset` breaks the connection. Of git's own answer, truncateAfterBytes and
 * stallAfterBytes send the first bytes and then break the connection or fall silent, `corrupt` turns a byte of the pack.
 */
export type GitFault =
  'pass' | 'hang' | 'reset' | 'corrupt' | Reply | { truncateAfterBytes: number } | { stallAfterBytes: number };

export interface GitServerOptions {
  /** https with a certificate authority of its own: `ca`. */
  tls?: boolean;
  auth?: Remote['auth'];
  capabilities?: Partial<GitCapabilities>;
}

export interface GitServer extends AsyncDisposable {
  /** Without a slash at the end; a repository is at `/<name>.git`. */
  url: string;
  /** PEM, with `tls`. */
  ca?: string;
  /** Can be changed at any time, as can `fault` and `capabilities`. */
  auth?: Remote['auth'];
  capabilities: GitCapabilities;
  /** Asked for each request of a reader; it may take its time to answer. */
  fault?: (request: GitRequest) => GitFault | Promise<GitFault>;
  /** All requests of readers so far, refused ones too. Set `length = 0` to count anew. */
  requests: GitRequest[];
  createRepository(name: string): Promise<Repository>;
  /** Breaks every connection, hung ones too. */
  hangUp(): void;
  stop(): Promise<void>;
}

/** Of servers that nobody has stopped. */
const folders = new Set<string>();
process.once('exit', () => folders.forEach(removeFolder));

function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

/** Starts a server on a free port. It keeps no process alive, and its files go with the process at the latest. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-git-'));
  folders.add(dir);
  const backend = findBackend(join(dir, 'served'));
  const listener: RequestListener = (request, response) => void answer(server, backend, request, response);
  const listening = options.tls ? createTlsServer(await servingPair(dir), listener) : createServer(listener);
  await once(listening.listen(0, '127.0.0.1').unref(), 'listening');
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= close(listening).then(() => {
      removeFolder(dir);
      folders.delete(dir);
    }));
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const caFile = join(dir, 'ca.crt');
  const server: GitServer = {
    url,
    ...(options.tls ? { ca: readFileSync(caFile, 'utf8') } : {}),
    ...(options.auth ? { auth: options.auth } : {}),
    capabilities: { protocolV2: true, filter: true, anyObject: true, shallow: true, ...options.capabilities },
    requests: [],
    createRepository: async (name) =>
      Repository.create(`${url}/${name}.git`, join(dir, 'clones', name), join(backend.root, `${name}.git`), () => ({
        ...(server.auth ? { auth: server.auth } : {}),
        ...(options.tls ? { caFile } : {}),
      })),
    hangUp: () => listening.closeAllConnections(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return server;
}

async function close(listening: Server): Promise<void> {
  const closed = once(listening, 'close');
  listening.close();
  listening.closeAllConnections(); // hung ones too
  await closed;
}

async function servingPair(dir: string): Promise<{ cert: Buffer; key: Buffer }> {
  await promisify(execFile)(await buildCluster(), ['certificates', '-dir', dir]);
  return { cert: readFileSync(join(dir, 'tls.crt')), key: readFileSync(join(dir, 'tls.key')) };
}

async function answer(
  server: GitServer,
  backend: Backend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A client that goes away in the middle is part of the tests, never a failure of the server.
  request.on('error', () => {});
  response.on('error', () => {});
  try {
    await (isPush(request) ? servePush : serveReader)(server, backend, request, response);
  } catch {
    response.destroy();
  }
}

function isPush(request: IncomingMessage): boolean {
  return /[/=]git-receive-pack$/.test(request.url ?? '');
}

/** What a request without the right credentials is answered. */
function refusal({ auth }: GitServer, request: IncomingMessage): Reply | undefined {
  if (!auth || request.headers.authorization === authorization(auth)) return undefined;
  const scheme = 'bearerToken' in auth ? 'Bearer' : 'Basic';
  return { status: 401, headers: { 'www-authenticate': `${scheme} realm="git"` }, body: 'Unauthorized\n' };
}

function reply({ status, headers, body }: Reply, response: ServerResponse): void {
  response.writeHead(status, headers).end(body);
}

async function servePush(
  server: GitServer,
  backend: Backend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refused = refusal(server, request);
  if (refused) return reply(refused, response);
  const { status, headers, body } = await runBackend(backend, request, request, server.capabilities);
  response.writeHead(status, headers);
  await pipeline(body, response);
}

async function serveReader(
  server: GitServer,
  backend: Backend,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await buffer(request);
  const record = describe(request, body);
  server.requests.push(record);
  const fault = (await server.fault?.(record)) ?? 'pass';
  if (fault === 'hang') return;
  if (fault === 'reset') return void request.socket.resetAndDestroy();
  const repository = join(backend.root, `${record.repository}.git`);
  const early =
    typeof fault === 'object' && 'status' in fault
      ? fault
      : (refusal(server, request) ?? (await refuseLines(server.capabilities, repository, record)));
  record.status = early?.status ?? 200;
  if (early) return reply(early, response);
  const answer = await runBackend(backend, request, body, server.capabilities);
  record.status = answer.status;
  // git's own refusals (404) have no type.
  const type = answer.headers['content-type'] ?? 'text/plain';
  response.writeHead(answer.status, { 'content-type': type, 'cache-control': 'no-cache' });
  await sendAnswer(await disguise(answer.body, server.capabilities, record, fault), fault, record, response);
}

function describe(request: IncomingMessage, body: Buffer): GitRequest {
  const [, repository = '', path = ''] = /^\/(.+?)\.git\/([^?]*)/.exec(request.url ?? '') ?? [];
  const posted = path === 'git-upload-pack' ? readUploadRequest(body, request.headers['content-encoding']) : undefined;
  const command = posted?.command === 'ls-refs' ? 'ls-refs' : 'fetch';
  return {
    repository: decodeURIComponent(repository),
    operation: posted ? command : path === 'info/refs' ? 'advertise' : 'other',
    headers: request.headers,
    lines: posted?.lines ?? [],
    requestBytes: body.length,
    responseBytes: 0,
    status: 0,
  };
}

/** What git itself would not refuse: protocol v2 serves any object and always knows shallow. */
async function refuseLines(
  capabilities: GitCapabilities,
  repository: string,
  { lines }: GitRequest,
): Promise<Reply | undefined> {
  const refuse = (why: string): Reply => ({
    status: 200,
    headers: { 'content-type': 'application/x-git-upload-pack-result' },
    body: writePacket(`ERR upload-pack: ${why}`),
  });
  if (!capabilities.shallow && lines.some((line) => /^(deepen|shallow)/.test(line))) return refuse('no shallow here');
  if (capabilities.anyObject) return undefined;
  const wants = lines.flatMap((line) => /^want ([0-9a-f]{40})/.exec(line)?.[1] ?? []);
  if (wants.length === 0) return undefined;
  const args = ['--git-dir', repository, 'for-each-ref', '--format=%(objectname)'];
  const tips = new Set((await promisify(execFile)('git', args)).stdout.split('\n'));
  const stranger = wants.find((want) => !tips.has(want));
  return stranger === undefined ? undefined : refuse(`not our ref ${stranger}`);
}

async function disguise(
  body: Readable,
  capabilities: GitCapabilities,
  { operation }: GitRequest,
  fault: GitFault,
): Promise<Readable> {
  if (operation === 'advertise' && !capabilities.shallow) return Readable.from([withoutShallow(await buffer(body))]);
  return fault === 'corrupt' ? Readable.from([corruptPack(await buffer(body))]) : body;
}

/** Sends as much of the answer as the fault lets through. */
async function sendAnswer(
  body: Readable,
  fault: GitFault,
  record: GitRequest,
  response: ServerResponse,
): Promise<void> {
  const truncate = typeof fault === 'object' && 'truncateAfterBytes' in fault ? fault.truncateAfterBytes : Infinity;
  const stall = typeof fault === 'object' && 'stallAfterBytes' in fault ? fault.stallAfterBytes : Infinity;
  const limit = Math.min(truncate, stall);
  await pipeline(
    body,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        const part = chunk.subarray(0, limit - record.responseBytes);
        record.responseBytes += part.length;
        yield part;
        if (record.responseBytes < limit) continue;
        await new Promise((flushed) => response.write('', flushed));
        if (stall === limit) await once(response, 'close');
        throw new Error('cut'); // makes the pipeline break the connection
      }
    },
    response,
  );
}
