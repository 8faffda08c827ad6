import { gitError } from './errors.ts';
import { DELIMITER, FLUSH, line, packets, textOf, type Packet } from './pkt-line.ts';
import type { RefSink, ServerRef } from './refs.ts';

/** What a server can do, read from its greeting, never assumed. Source: gitprotocol-v2(5), gitprotocol-capabilities(5). */
export interface Server {
  version: 0 | 2;
  /** Can cut history (`deepen`). */
  shallow: boolean;
  /** Can leave blobs out (`filter blob:none`), and can be asked for them later. */
  filter: boolean;
  /** Offers any commit or blob by its id. Protocol v2 does not announce a refusal: it is learnt from the answer. */
  wantsByOid: boolean;
  /** v0 only: the capabilities that it announced. */
  announced: ReadonlySet<string>;
}

export interface FetchWish {
  wants: readonly string[];
  /** Commits that we hold whole (less filtered blobs); the server may build differences upon them. */
  haves: readonly string[];
  /** Commits that we hold without their parents. */
  shallow: readonly string[];
  /** Ask for one commit of history, not all of it. Only when the server can. */
  deepen: boolean;
  /** Leave blobs out. Only when the server can. */
  filter: boolean;
}

export interface FetchAnswer {
  /** Commits that now lack their parents, and those that do no longer. */
  shallow: string[];
  unshallow: string[];
  pack: AsyncIterable<Uint8Array>;
}

/** Raised inside when the server does not give an object that was asked for by its id; the caller decides what it means. */
export class WantRefused extends Error {}

/** Raised inside when the server announces filters but refuses this one. */
export class FilterRefused extends Error {}

const AGENT = 'agent=git/plumbline';
const OID = /^[0-9a-f]{40}$/;

/** Git itself announces a dozen. */
const MAX_CAPABILITIES = 100;

/** `refs` is told what the greeting of v0 lists. */
export async function readGreeting(bytes: AsyncIterable<Uint8Array>, refs?: RefSink): Promise<Server> {
  const capabilities: string[] = [];
  let list: { server: Server; refs: RefsV0 } | undefined;
  let version = '';
  for await (const packet of packets(bytes)) {
    if (typeof packet === 'string') continue;
    const text = greetingLine(packet);
    if (list) list.refs.line(text);
    else if (version === 'version 2') capabilities.push(text);
    else if (version === '' && /^(?:# service=|version [12]$)/.test(text)) version = text.startsWith('#') ? '' : text;
    else list = beginV0(text, refs);
    if (capabilities.length > MAX_CAPABILITIES)
      throw gitError('GitProtocolError', 'the greeting of the Git server does not end');
  }
  if (version === 'version 2') return serverV2(capabilities);
  if (!list) throw notGreeted();
  list.refs.end();
  return list.server;
}

function notGreeted(): Error {
  return gitError('GitProtocolError', 'the answer is not the greeting of a Git server');
}

function greetingLine(packet: Uint8Array): string {
  const text = textOf(packet);
  if (text.startsWith('ERR ')) throw serverError(text);
  return text;
}

function serverV2(lines: string[]): Server {
  const values = new Map(lines.map((text) => [text.split('=', 1)[0] ?? '', text.slice(text.indexOf('=') + 1)]));
  checkFormat(values.get('object-format'));
  if (!values.has('fetch') || !values.has('ls-refs')) {
    throw gitError('GitProtocolError', 'the server speaks Git protocol v2 but offers no fetch');
  }
  const fetch = new Set((values.get('fetch') ?? '').split(' '));
  return {
    version: 2,
    shallow: fetch.has('shallow'),
    filter: fetch.has('filter'),
    wantsByOid: true,
    announced: new Set(values.keys()),
  };
}

/** The first line names the first ref, and behind it what the server can. */
function beginV0(first: string, sink: RefSink | undefined): { server: Server; refs: RefsV0 } {
  const zero = first.indexOf('\0');
  if (zero < 0) throw notGreeted();
  const refs = new RefsV0(sink);
  const server = serverV0(new Set(first.slice(zero + 1).split(' ')));
  refs.line(first.slice(0, zero));
  return { server, refs };
}

function serverV0(announced: ReadonlySet<string>): Server {
  for (const capability of announced) {
    if (capability.startsWith('object-format=')) checkFormat(capability.slice('object-format='.length));
  }
  if (!announced.has('side-band-64k')) {
    throw gitError('GitProtocolError', 'the Git server is too old: it lacks the capability side-band-64k');
  }
  const wantsByOid = announced.has('allow-tip-sha1-in-want') && announced.has('allow-reachable-sha1-in-want');
  return {
    version: 0,
    shallow: announced.has('shallow'),
    filter: announced.has('filter') && wantsByOid,
    wantsByOid,
    announced,
  };
}

/** The refs of v0, line by line: what an annotated tag points to stands on the line below it. */
class RefsV0 {
  readonly #sink: RefSink | undefined;
  #last: ServerRef | undefined;

  constructor(sink: RefSink | undefined) {
    this.#sink = sink;
  }

  line(text: string): void {
    const [oid = '', name = ''] = text.split(' ');
    if (text.startsWith('shallow ') || name === 'capabilities^{}') return;
    if (!OID.test(oid)) throw gitError('GitProtocolError', 'the Git server lists a ref without an object id');
    if (this.#last && name === `${this.#last.name}^{}`) {
      this.#last.peeled = oid;
      return;
    }
    this.end();
    this.#last = { name, oid };
  }

  end(): void {
    if (this.#last) this.#sink?.take(this.#last);
    this.#last = undefined;
  }
}

function checkFormat(format: string | undefined): void {
  if (format === undefined || format === 'sha1') return;
  throw gitError(
    'Sha256NotSupported',
    `the repository uses object format ${format.slice(0, 20)}; only sha1 is supported`,
  );
}

export function refsRequest(server: Server, prefixes: readonly string[]): string {
  const asked = prefixes.map((prefix) => line(`ref-prefix ${prefix}`));
  return [...head('ls-refs', server), line('peel'), line('symrefs'), ...asked, FLUSH].join('');
}

function head(command: string, server: Server): string[] {
  const format = server.announced.has('object-format') ? [line('object-format=sha1')] : [];
  return [line(`command=${command}`), line(AGENT), ...format, DELIMITER];
}

export async function readRefs(bytes: AsyncIterable<Uint8Array>, sink: RefSink): Promise<void> {
  let complete = false;
  for await (const packet of packets(bytes)) {
    if (packet === 'flush') complete = true;
    if (typeof packet === 'string') continue;
    const text = greetingLine(packet);
    const [oid = '', name = '', ...attributes] = text.split(' ');
    if (oid === 'unborn') continue;
    if (!OID.test(oid) || name === '')
      throw gitError('GitProtocolError', 'the Git server lists a ref without an object id');
    const peeled = attributes.find((attribute) => attribute.startsWith('peeled:'))?.slice('peeled:'.length);
    sink.take({ name, oid, ...(peeled === undefined ? {} : { peeled }) });
  }
  if (!complete) throw gitError('GitProtocolError', 'the list of refs ends too early');
}

/** The whole question in one request: `done` is sent at once, so the pack comes in the first answer. */
export function fetchRequest(server: Server, wish: FetchWish): string {
  const wants = wish.wants.map((oid) => `want ${oid}`);
  const limits = [
    ...wish.shallow.map((oid) => line(`shallow ${oid}`)),
    ...(wish.deepen ? [line('deepen 1')] : []),
    ...(wish.filter ? [line('filter blob:none')] : []),
  ];
  const haves = wish.haves.map((oid) => line(`have ${oid}`));
  if (server.version === 2) {
    const options = ['thin-pack', 'no-progress', 'ofs-delta'].map(line);
    return [...head('fetch', server), ...options, ...wants.map(line), ...limits, ...haves, line('done'), FLUSH].join(
      '',
    );
  }
  const usable = ['side-band-64k', 'thin-pack', 'no-progress', 'ofs-delta', ...(wish.deepen ? ['shallow'] : [])];
  if (wish.filter) usable.push('filter');
  const capabilities = [...usable.filter((name) => server.announced.has(name)), AGENT].join(' ');
  const [first = '', ...others] = wants;
  const asked = [line(`${first} ${capabilities}`), ...others.map(line)];
  return [...asked, ...limits, FLUSH, ...haves, line('done')].join('');
}

/** Reads up to the first byte of the pack; the pack itself is streamed. Throws WantRefused, GitProtocolError. */
export async function readFetch(bytes: AsyncIterable<Uint8Array>): Promise<FetchAnswer> {
  const stream = packets(bytes);
  try {
    return await readFetchHead(stream);
  } catch (error) {
    // Lets go of the connection.
    await stream.return();
    throw error;
  }
}

async function readFetchHead(stream: AsyncGenerator<Packet, void>): Promise<FetchAnswer> {
  const answer = { shallow: [] as string[], unshallow: [] as string[] };
  for (;;) {
    const { value: packet, done } = await stream.next();
    if (done === true) throw gitError('GitProtocolError', 'the answer of the Git server holds no pack');
    if (typeof packet === 'string') continue;
    // Protocol v0 starts the pack without a headline: its first packet is a band.
    if (isBand(packet)) return { ...answer, pack: packBytes(stream, packet) };
    const text = greetingLine(packet);
    if (text === 'packfile') return { ...answer, pack: packBytes(stream) };
    if (text.startsWith('shallow ')) answer.shallow.push(checkedOid(text.slice('shallow '.length)));
    if (text.startsWith('unshallow ')) answer.unshallow.push(checkedOid(text.slice('unshallow '.length)));
  }
}

function checkedOid(oid: string): string {
  if (OID.test(oid)) return oid;
  throw gitError('GitProtocolError', 'the Git server sends an object id that is none');
}

function isBand(packet: Uint8Array): boolean {
  const [band = 0] = packet;
  return band >= 1 && band <= 3;
}

async function* packBytes(stream: AsyncGenerator<Packet, void>, first?: Uint8Array): AsyncGenerator<Uint8Array> {
  if (first) yield* bandBytes(first);
  let complete = false;
  // Read to the very end, so that the connection can be used again.
  for await (const packet of stream) {
    if (packet === 'flush') complete = true;
    else if (typeof packet !== 'string' && !complete) yield* bandBytes(packet);
  }
  if (!complete) throw gitError('GitProtocolError', 'the pack of the Git server ends too early');
}

function* bandBytes(packet: Uint8Array): Generator<Uint8Array> {
  const [band] = packet;
  if (band === 1) yield packet.subarray(1);
  else if (band === 3) throw serverError(textOf(packet.subarray(1)));
  else if (band !== 2) throw gitError('GitProtocolError', 'the Git server mixes up the bands of its answer');
}

/** What the server says is only classified, never shown: it is foreign text. */
function serverError(text: string): Error {
  if (/filter/i.test(text)) return new FilterRefused('the Git server refuses to leave blobs out');
  if (/not our ref|not valid|unadvertised|no such (remote )?ref|missing|unknown object|could not find/i.test(text)) {
    return new WantRefused('the Git server refuses an object that was asked for by its id');
  }
  if (/not found|does not exist|no such|access denied|not exported/i.test(text)) {
    return gitError('RepositoryNotFound', 'the Git server has no such repository, or hides it from this account');
  }
  return gitError('GitProtocolError', 'the Git server reports an error of its own while it answers');
}
