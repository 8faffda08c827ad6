// What Git servers send: packets, packs, differences, trees and commits, and whole answers over HTTP.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { parseCommit } from '../../src/git/commit.ts';
import { applyDelta } from '../../src/git/delta.ts';
import { openGit } from '../../src/git/git.ts';
import { checkPack } from '../../src/git/pack-check.ts';
import { PackFile } from '../../src/git/pack-file.ts';
import { PackIndex } from '../../src/git/pack-index.ts';
import { PackReader, type StoredObject } from '../../src/git/pack-reader.ts';
import { FilterRefused, readFetch, readGreeting, readRefs, WantRefused } from '../../src/git/protocol.ts';
import { parseTree } from '../../src/git/tree-entries.ts';
import type { GitRequest, Reply } from '../git-server.ts';
import { startGitServer } from '../git-server.ts';
import type { Random } from '../random.ts';
import { mutateBytes } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

const OID = '0123456789abcdef0123456789abcdef01234567';

function packet(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

const FLUSH = Buffer.from('0000');
const GREETING_V2 = [
  'version 2\n',
  'agent=git/2\n',
  'ls-refs=unborn\n',
  'fetch=shallow filter\n',
  'object-format=sha1\n',
];
const STREAMS: readonly Buffer[] = [
  Buffer.concat([packet('# service=git-upload-pack\n'), FLUSH, ...GREETING_V2.map(packet), FLUSH]),
  Buffer.concat([
    packet(`${OID} HEAD\0side-band-64k shallow filter allow-tip-sha1-in-want allow-reachable-sha1-in-want\n`),
    packet(`${OID} refs/heads/main\n`),
    packet(`${OID} refs/tags/v1\n`),
    packet(`${OID} refs/tags/v1^{}\n`),
    FLUSH,
  ]),
  Buffer.concat([
    packet(`${OID} refs/heads/main symref-target:x\n`),
    packet(`${OID} refs/tags/v1 peeled:${OID}\n`),
    FLUSH,
  ]),
  Buffer.concat([
    packet('shallow-info\n'),
    packet(`shallow ${OID}\n`),
    Buffer.from('0001'),
    packet('packfile\n'),
    packet(Buffer.from('\u0002progress\r')),
    packet(Buffer.concat([Buffer.from([1]), Buffer.from('PACK')])),
    FLUSH,
  ]),
  packet('ERR upload-pack: not our ref\n'),
];

async function* chunks(bytes: Buffer, random: Random): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.below(random.pick([2, 100, 70_000]));
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** The two that the fetch itself catches are as good as an error of ours. */
async function recognised(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof WantRefused) && !(error instanceof FilterRefused)) throw error;
  }
}

export const pktLines: FuzzTarget = {
  async run(random) {
    const bytes = mutateBytes(random.pick(STREAMS), STREAMS, random);
    const read = random.pick([readGreeting, listed, drained]);
    await recognised(read(chunks(bytes, random)));
  },
};

async function listed(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await readRefs(bytes, { take: () => {} });
}

async function drained(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of (await readFetch(bytes)).pack);
}

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4, offset: 6, reference: 7 } as const;

function entry(type: keyof typeof TYPES, content: Buffer, base: Buffer = Buffer.alloc(0), declared = content.length) {
  const head = [(TYPES[type] << 4) | (declared & 15)];
  for (let rest = Math.floor(declared / 16); rest > 0; rest = Math.floor(rest / 128)) {
    head[head.length - 1]! |= 0x80;
    head.push(rest & 0x7f);
  }
  return Buffer.concat([Buffer.from(head), base, deflateSync(content)]);
}

const BASE: StoredObject = {
  type: 'blob',
  content: Buffer.from('the base that lies elsewhere, long enough to copy from'),
};
/** From BASE: copies 4 to 19, then its own bytes, then all of it. */
const DELTA = Buffer.concat([
  Buffer.from([BASE.content.length, 15 + 3 + BASE.content.length, 0b10010001, 4, 15, 3]),
  Buffer.from('new'),
  Buffer.from([0b10010000, BASE.content.length]),
]);
const TREE = Buffer.concat(
  [
    ['40000', 'apps'],
    ['100644', 'a.yaml'],
    ['120000', 'link'],
    ['160000', 'module'],
  ].map(([mode, name]) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(OID, 'hex')])),
);
const COMMIT = Buffer.from(
  `tree ${OID}\nparent ${OID}\nauthor A <a@b> 1700000000 +0100\ncommitter A <a@b> 1700000000 +0100\nencoding ISO-8859-1\ngpgsig x\n y\n\nsubject\n\nbody\n`,
);
const ENTRIES: readonly Buffer[] = [
  entry('blob', BASE.content),
  entry('tree', TREE),
  entry('commit', COMMIT),
  entry('offset', DELTA, Buffer.from([entry('blob', BASE.content).length])),
  entry('reference', DELTA, Buffer.from('01'.repeat(20), 'hex')),
  entry('blob', Buffer.alloc(100_000)),
  entry('blob', Buffer.from('x'), Buffer.alloc(0), 2 ** 30),
];

function packOf(entries: readonly Buffer[], count: number): Buffer {
  const head = Buffer.alloc(12, 'PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(count, 8);
  return Buffer.concat([head, ...entries]);
}

function sealed(body: Buffer): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

const scratch = mkdtempSync(join(tmpdir(), 'plumbline-fuzz-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

export const packs: FuzzTarget = {
  async run(random) {
    const first = ENTRIES[0]!;
    const entries = [first, ...Array.from({ length: random.below(6) }, () => random.pick(ENTRIES))];
    let body = packOf(entries, random.chance(0.9) ? entries.length : random.below(2 ** 32));
    if (random.chance(0.9)) body = mutateBytes(body, ENTRIES, random);
    // Mostly with a right checksum: a wrong one is found before anything else is looked at.
    const path = join(scratch, 'fuzz.pack');
    writeFileSync(path, random.chance(0.9) ? sealed(body) : body);
    const file = new PackFile(path);
    try {
      const external = (oid: string) => (oid === '01'.repeat(20) ? BASE : undefined);
      const { index } = await checkPack(file, { objectCount: 10_000, chainBytes: 2 ** 24 }, external, () => undefined);
      // What was checked can be read.
      const found = new PackIndex(index);
      const reader = new PackReader(file, external);
      for (let number = 0; number < found.count; number += 1) {
        const oid = index.toString('hex', 8 + 1024 + number * 20, 8 + 1024 + number * 20 + 20);
        const at = found.find(oid);
        if (at === undefined || !reader.read(at)) throw new Error(`the checked object ${oid} cannot be read`);
      }
    } finally {
      file.close();
    }
  },
};

export const deltas: FuzzTarget = {
  run(random) {
    const delta = random.chance(0.2)
      ? mutateBytes(BASE.content, [DELTA], random)
      : mutateBytes(DELTA, [DELTA, TREE], random);
    applyDelta(BASE.content, delta);
  },
};

export const trees: FuzzTarget = {
  run(random) {
    const inputs = [TREE, COMMIT];
    if (random.chance(0.5)) parseTree(mutateBytes(TREE, inputs, random), 'apps');
    else parseCommit(OID, mutateBytes(COMMIT, inputs, random));
  },
};

type Recorded = Map<GitRequest['operation'], Buffer>;

let recorded: Recorded | undefined;
let server: Awaited<ReturnType<typeof startGitServer>> | undefined;

/** Whole conversations with a server that spoils one of its answers, through everything down to the worker thread. */
export const gitServers: FuzzTarget = {
  async prepare() {
    server = await startGitServer();
    const repository = await server.createRepository('config');
    await repository.write({
      'apps/a.yaml': 'kind: ConfigMap\n',
      'apps/b.yaml': 'x'.repeat(3_000),
      'README.md': 'hello',
    });
    recorded = new Map();
    for (const [operation, request] of await conversation(repository.url)) recorded.set(operation, request);
  },
  async run(random) {
    const target = random.pick(['advertise', 'ls-refs', 'fetch'] as const);
    const valid = [...recorded!.values()];
    const body = mutateBytes(recorded!.get(target)!, valid, random);
    const type = target === 'advertise' ? 'advertisement' : 'result';
    const reply: Reply = {
      status: random.chance(0.95) ? 200 : random.pick([204, 301, 400, 401, 403, 404, 429, 500]),
      headers: {
        'content-type': random.chance(0.9)
          ? `application/x-git-upload-pack-${type}`
          : random.pick(['text/html', '', '\t']),
        ...(random.chance(0.05) && { location: random.pick(['/', '//', 'ftp://x', 'http://[', '\\\\']) }),
        ...(random.chance(0.05) && { 'content-encoding': random.pick(['gzip', 'br', 'x']) }),
      },
      body,
    };
    server!.fault = ({ operation }) => (operation === target ? reply : 'pass');
    await readOnce(`${server!.url}/config.git`, 3_000);
  },
};

/** The real answers, taken from the server as a client of ours gets them. */
async function conversation(url: string): Promise<[GitRequest['operation'], Buffer][]> {
  const found: [GitRequest['operation'], Buffer][] = [];
  const headers = { 'git-protocol': 'version=2' };
  const greeting = await fetch(`${url}/info/refs?service=git-upload-pack`, { headers });
  found.push(['advertise', Buffer.from(await greeting.arrayBuffer())]);
  const post = async (lines: string[]) => {
    const body = lines
      .map((text) => (text === '0000' || text === '0001' ? text : packet(`${text}\n`).toString()))
      .join('');
    const type = 'application/x-git-upload-pack-request';
    const answer = await fetch(`${url}/git-upload-pack`, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': type },
    });
    return Buffer.from(await answer.arrayBuffer());
  };
  const refs = await post(['command=ls-refs', '0001', 'peel', 'symrefs', '0000']);
  found.push(['ls-refs', refs]);
  const [, oid = ''] = /([0-9a-f]{40}) refs/.exec(refs.toString()) ?? [];
  found.push(['fetch', await post(['command=fetch', '0001', 'ofs-delta', `want ${oid}`, 'done', '0000'])]);
  return found;
}

async function readOnce(url: string, timeoutMs: number): Promise<void> {
  const dir = mkdtempSync(join(scratch, 'mirror-'));
  const git = openGit({ dir });
  const call = { signal: new AbortController().signal, timeoutMs, maxAgeMs: 0 };
  try {
    const tip = await git.resolve({ url }, { branch: 'main' }, call);
    const { files } = await git.tree({ url }, tip, 'apps', call);
    await git.read(
      { url },
      tip,
      files.filter(({ problem }) => !problem).map(({ oid }) => oid),
      call,
    );
  } finally {
    await git.close();
    await setImmediate();
    rmSync(dir, { recursive: true, force: true });
  }
}
