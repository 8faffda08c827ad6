// HTTP in between an operator and the API server, which breaks what it carries by rules.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildCluster, type Cluster } from '../cluster.ts';

/** Renewals of the lease are `lease` only, and none of the others. */
export type RequestKind = 'write' | 'read' | 'list' | 'watch' | 'lease';

/**
 * `acted`: the API server carried the request out, and only the answer is lost; `late`: it comes later. `hold` swallows the request and hands it to the
 * API server later, whether or not the client is still there: what a slow network may do to a write of a dead leader.
 */
export type ApiFault =
  | { kind: 'status'; status: 410 | 429 | 500 | 503; retryAfter?: number }
  | { kind: 'page'; status?: 404 }
  | { kind: 'truncate' }
  | { kind: 'reset'; acted: boolean }
  | { kind: 'blackhole' }
  | { kind: 'slow'; ms: number }
  | { kind: 'late'; ms: number }
  | { kind: 'hold'; ms: number }
  | { kind: 'kill'; acted: boolean };

/** What happens to the watches that are open: `cut` in the middle of the next event, `gone` is a 410 in its place. */
export type WatchFault = { kind: 'cut' } | { kind: 'gone' } | { kind: 'stall'; ms: number } | { kind: 'break' };

export interface ApiRule {
  on: readonly RequestKind[];
  /** Only where the path ends so. */
  at?: string;
  /** So many matching requests pass first. */
  after: number;
  times: number;
  fault: ApiFault;
}

export class ApiProxy implements AsyncDisposable {
  readonly url: string;
  readonly caFile: string;
  /** Kills the client's process; called by the fault `kill`. */
  onKill: () => void = () => {};
  /** How often each fault was met, by name. */
  readonly met = new Map<string, number>();
  readonly #server: Server;
  readonly #dir: string;
  readonly #target: URL;
  readonly #agent: Agent;
  readonly #watches = new Set<WatchStream>();
  readonly #swallowed = new Set<IncomingMessage>();
  readonly #held = new Set<Promise<void>>();
  #rules: ApiRule[] = [];
  #dark = false;

  private constructor(server: Server, dir: string, cluster: Cluster) {
    this.#server = server;
    this.#dir = dir;
    this.caFile = join(dir, 'ca.crt');
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#target = new URL(cluster.url);
    this.#agent = new Agent({ ca: cluster.ca, keepAlive: true });
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
      // A client that goes away in the middle is part of the tests.
      incoming.on('error', () => {});
      outgoing.on('error', () => {});
      void this.#serve(incoming, outgoing).catch(() => incoming.socket.destroy());
    });
  }

  static async start(cluster: Cluster): Promise<ApiProxy> {
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-proxy-'));
    await promisify(execFile)(await buildCluster(), ['certificates', '-dir', dir]);
    const server = createServer({ cert: readFileSync(join(dir, 'tls.crt')), key: readFileSync(join(dir, 'tls.key')) });
    await once(server.listen(0, '127.0.0.1').unref(), 'listening');
    return new ApiProxy(server, dir, cluster);
  }

  arm(rule: ApiRule): void {
    this.#rules.push({ ...rule });
  }

  /** Everything is taken in and nothing answered, until `calm`. */
  goDark(): void {
    this.#dark = true;
    for (const watch of this.#watches) watch.stall();
  }

  disturbWatches(fault: WatchFault): void {
    if (this.#watches.size > 0) this.#meet(`watch ${fault.kind}`);
    for (const watch of this.#watches) watch.disturb(fault);
  }

  /** The network is sound again. What was swallowed is told to its client as a broken connection. */
  calm(): void {
    this.#rules = [];
    if (this.#dark) for (const watch of this.#watches) watch.disturb({ kind: 'break' });
    this.#dark = false;
    for (const incoming of this.#swallowed) incoming.socket.destroy();
    this.#swallowed.clear();
  }

  /** Resolves when every held request has reached the API server. */
  async delivered(): Promise<void> {
    await Promise.all(this.#held);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await this.delivered();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #meet(name: string): void {
    this.met.set(name, (this.met.get(name) ?? 0) + 1);
  }

  #take(kind: RequestKind, url = ''): ApiFault | undefined {
    const [path = ''] = url.split('?');
    for (const rule of this.#rules) {
      if (rule.times === 0 || !rule.on.includes(kind) || !path.endsWith(rule.at ?? '')) continue;
      if (rule.after > 0) rule.after -= 1;
      else {
        rule.times -= 1;
        this.#meet(nameOf(rule.fault));
        return rule.fault;
      }
    }
    return this.#dark ? { kind: 'blackhole' } : undefined;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const kind = kindOf(incoming);
    const fault = this.#take(kind, incoming.url);
    switch (fault?.kind) {
      case 'status':
        return refuse(outgoing, fault);
      case 'page':
        return page(outgoing, fault.status);
      case 'blackhole':
        return void this.#swallowed.add(incoming);
      case 'hold':
        return this.#hold(incoming, body, fault.ms);
      case 'reset':
      case 'kill': {
        if (fault.acted) await this.#carryOut(incoming, body);
        if (fault.kind === 'kill') this.onKill();
        return void incoming.socket.destroy();
      }
      case 'slow':
        await delay(fault.ms);
        break;
      case 'late':
      case 'truncate': // what comes back of it, below
      case undefined:
    }
    const answer = await this.#forward(incoming, body, outgoing);
    if (kind === 'watch') return this.#watch(answer, outgoing);
    const whole = await buffer(answer);
    if (fault?.kind === 'late') await delay(fault.ms);
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    if (fault?.kind !== 'truncate') return void outgoing.end(whole);
    outgoing.write(whole.subarray(0, whole.length / 2), () => outgoing.destroy());
  }

  #hold(incoming: IncomingMessage, body: Buffer, ms: number): void {
    this.#swallowed.add(incoming);
    const held = delay(ms)
      .then(() => this.#carryOut(incoming, body))
      .catch(() => {}) // the API server is down just now: then it is lost, as in life
      .finally(() => this.#held.delete(held));
    this.#held.add(held);
  }

  async #carryOut(incoming: IncomingMessage, body: Buffer): Promise<void> {
    const answer = await this.#forward(incoming, body);
    answer.resume();
    await once(answer, 'end');
  }

  async #forward(incoming: IncomingMessage, body: Buffer, outgoing?: ServerResponse): Promise<IncomingMessage> {
    const outside = request({
      host: this.#target.hostname,
      port: this.#target.port,
      agent: this.#agent,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, host: this.#target.host },
    });
    outgoing?.once('close', () => outside.destroy());
    outside.on('error', () => {}); // also after the answer; `once` rejects with those before it
    outside.end(body);
    const [answer] = (await once(outside, 'response')) as [IncomingMessage];
    answer.on('error', () => outgoing?.destroy());
    return answer;
  }

  #watch(answer: IncomingMessage, outgoing: ServerResponse): void {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.flushHeaders();
    const stream = new WatchStream(answer, outgoing);
    this.#watches.add(stream);
    outgoing.once('close', () => this.#watches.delete(stream));
    if (this.#dark) stream.stall();
  }
}

/** One open watch: its bytes pass until it is disturbed. */
class WatchStream {
  readonly #answer: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #next: 'cut' | 'gone' | undefined;

  constructor(answer: IncomingMessage, outgoing: ServerResponse) {
    this.#answer = answer;
    this.#outgoing = outgoing;
    answer.on('data', (chunk: Buffer) => this.#pass(chunk));
    answer.once('end', () => outgoing.end());
    // What came before a proper end is on its way still: a 410 is the only line of such a watch.
    answer.once('close', () => answer.readableEnded || outgoing.destroy());
  }

  disturb(fault: WatchFault): void {
    if (fault.kind === 'break') this.#outgoing.destroy();
    else if (fault.kind === 'stall') {
      this.stall();
      setTimeout(() => this.#answer.resume(), fault.ms).unref();
    } else this.#next = fault.kind;
  }

  stall(): void {
    this.#answer.pause();
  }

  #pass(chunk: Buffer): void {
    if (this.#next === undefined) return void this.#outgoing.write(chunk);
    const last = this.#next === 'gone' ? GONE : chunk.subarray(0, chunk.length / 2);
    this.#outgoing.write(last, () => this.#outgoing.destroy());
    this.#answer.removeAllListeners('data');
  }
}

const GONE = `${JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' },
})}\n`;

/** Of something in between that is no API server. */
function page(outgoing: ServerResponse, status = 200): void {
  outgoing.writeHead(status, { 'content-type': 'text/html' }).end('<html>please log in</html>');
}

function nameOf(fault: ApiFault): string {
  if (fault.kind === 'status') return `status ${fault.status}`;
  if (fault.kind === 'reset' || fault.kind === 'kill')
    return `${fault.kind} ${fault.acted ? 'after' : 'before'} the write`;
  return fault.kind;
}

function kindOf({ method, url = '' }: IncomingMessage): RequestKind {
  if (url.includes('/leases')) return 'lease';
  if (method !== 'GET') return 'write';
  if (/[?&]watch=/.test(url)) return 'watch';
  return /[?&]limit=/.test(url) ? 'list' : 'read';
}

function refuse(outgoing: ServerResponse, { status, retryAfter }: ApiFault & { kind: 'status' }): void {
  const reason = { 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable' }[status];
  const headers = {
    'content-type': 'application/json',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  };
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code: status, message: 'not now' };
  outgoing.writeHead(status, headers).end(JSON.stringify(body));
}
