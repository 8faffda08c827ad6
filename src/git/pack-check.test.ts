import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { checkPack, type CheckedPack, type Pause } from './pack-check.ts';
import { PackFile } from './pack-file.ts';
import { PackIndex } from './pack-index.ts';
import { objectId, PackReader, type StoredObject } from './pack-reader.ts';

const LIMITS = { objectCount: 100 };

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'plumbline-pack-'));
});
after(() => rmSync(dir, { recursive: true }));

const BLOB = 3;
const IDENTITY = {
  PATH: process.env['PATH'],
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};
const OFFSET_DELTA = 6;
const OBJECT_DELTA = 7;

function header(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((bytes.pop() ?? 0) | 0x80, rest & 0x7f);
  }
  return Buffer.from(bytes);
}

function pack(...entries: Buffer[]): Buffer {
  const head = Buffer.alloc(12, 'PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(entries.length, 8);
  return sealed(Buffer.concat([head, ...entries]));
}

function sealed(body: Buffer): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function blob(content: Buffer, declared = content.length): Buffer {
  return Buffer.concat([header(BLOB, declared), deflateSync(content)]);
}

/** A difference upon the entry that begins `distance` (below 128) bytes earlier. */
function delta(instructions: number[], distance = 1): Buffer {
  return Buffer.concat([
    header(OFFSET_DELTA, instructions.length),
    Buffer.from([distance]),
    deflateSync(Buffer.from(instructions)),
  ]);
}

const BASE: StoredObject = { type: 'blob', content: Buffer.from('base') };

async function checked(
  bytes: Buffer,
  limits: { objectCount: number; chainBytes?: number } = LIMITS,
  pause: Pause = () => undefined,
): Promise<CheckedPack> {
  const path = join(dir, 'test.pack');
  writeFileSync(path, bytes);
  const file = new PackFile(path);
  try {
    return await checkPack(file, limits, (oid) => (oid === '01'.repeat(20) ? BASE : undefined), pause);
  } finally {
    file.close();
  }
}

async function check(bytes: Buffer): Promise<number> {
  return (await checked(bytes)).objects;
}

const A = blob(Buffer.from('aaaa'));

suite('packs', () => {
  test('none, one, and a difference', async () => {
    assert.equal(await check(pack()), 0);
    assert.equal(await check(pack(A)), 1);
    // From 4 bytes make 6: copy 4 from 0, insert two.
    assert.equal(await check(pack(A, delta([4, 6, 0x90, 4, 2, 0x62, 0x62], A.length))), 2);
    const byId = Buffer.concat([
      header(OBJECT_DELTA, 4),
      Buffer.alloc(20, 1),
      deflateSync(Buffer.from([4, 4, 0x90, 4])),
    ]);
    assert.equal(await check(pack(byId)), 1);
  });

  for (const deltas of ['--delta-base-offset', '--no-delta-base-offset']) {
    test(`what git itself writes (${deltas}): the same index, the same objects, every flipped byte seen`, async () => {
      const work = mkdtempSync(join(dir, 'work-'));
      const git = (...args: string[]): Buffer =>
        execFileSync('git', args, { cwd: work, stdio: ['ignore', 'pipe', 'ignore'], env: IDENTITY });
      git('init', '-q');
      const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
      for (let version = 0; version < 5; version += 1) {
        lines[version * 300] = `changed ${version}`;
        writeFileSync(join(work, 'file'), lines.join('\n'));
        git('add', '-A');
        git('commit', '-qm', `version ${version}`);
      }
      const bytes = git('pack-objects', '--all', '--stdout', '-q', ...(deltas.startsWith('--no') ? [] : [deltas]));
      writeFileSync(join(work, 'git.pack'), bytes);
      git('index-pack', '-o', 'git.idx', 'git.pack');
      const { objects, index } = await checked(bytes);
      assert.equal(objects, 15);
      assert.deepEqual(index, readFileSync(join(work, 'git.idx')));
      const file = new PackFile(join(work, 'git.pack'));
      const reader = new PackReader(file, (oid) => reader.read(new PackIndex(index).find(oid) ?? 0));
      for (const listed of git('rev-list', '--all', '--objects').toString().trim().split('\n')) {
        const oid = listed.slice(0, 40);
        const object = reader.read(new PackIndex(index).find(oid) ?? 0);
        assert.equal(object && objectId(object), oid);
      }
      file.close();
      for (let at = 0; at < bytes.length; at += 97) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        await assert.rejects(check(flipped), { code: 'GitProtocolError' });
      }
    });
  }

  test('a base may come after what builds on it', async () => {
    const late = createHash('sha1').update('blob 4\0aaaa').digest();
    const first = Buffer.concat([
      header(OBJECT_DELTA, 5),
      late,
      deflateSync(Buffer.from([4, 5, 0x90, 4, 1]).subarray(0, 5)),
    ]);
    await assert.rejects(check(pack(first, A)), { code: 'GitProtocolError', message: /cut off|broken/ });
    const sound = Buffer.concat([header(OBJECT_DELTA, 6), late, deflateSync(Buffer.from([4, 5, 0x90, 4, 1, 0x62]))]);
    assert.equal(await check(pack(sound, A)), 2);
  });

  const zeros = deflateSync(Buffer.alloc(10_000_000));
  const broken: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['no pack', sealed(Buffer.from('<html>not a pack</html>'))],
    ['cut off', pack(A).subarray(0, -1)],
    ['cut off and sealed again', sealed(pack(A, A).subarray(0, 30))],
    ['fewer objects than it says', sealed(Buffer.concat([pack(A, A).subarray(0, 12), A]))],
    ['more bytes than objects', sealed(Buffer.concat([pack(A).subarray(0, -20), Buffer.from('more')]))],
    ['an object larger than declared', pack(blob(Buffer.from('aaaa'), 3))],
    ['an object smaller than declared', pack(blob(Buffer.from('aaaa'), 5))],
    ['ten megabytes behind ten bytes', pack(Buffer.concat([header(BLOB, 10), zeros]))],
    ['not deflated', pack(Buffer.concat([header(BLOB, 4), Buffer.from('aaaaaaaa')]))],
    ['type 0', pack(Buffer.concat([header(0, 0), deflateSync(Buffer.alloc(0))]))],
    ['type 5', pack(Buffer.concat([header(5, 0), deflateSync(Buffer.alloc(0))]))],
    ['a difference from before the pack', pack(A, delta([4, 4, 0x90, 4], 100))],
    ['a difference from itself', pack(A, delta([4, 4, 0x90, 4], 0))],
    ['a difference from the middle of an object', pack(A, delta([4, 4, 0x90, 4], A.length - 1))],
    ['a difference that makes more than it says', pack(A, delta([4, 4, 0x90, 4, 0x90, 4], A.length))],
    ['a difference that makes less than it says', pack(A, delta([4, 9, 0x90, 4], A.length))],
    [
      'a difference upon what is nowhere',
      pack(Buffer.concat([header(OBJECT_DELTA, 4), Buffer.alloc(20, 2), deflateSync(Buffer.from([4, 4, 0x90, 4]))])),
    ],
    ['a difference from another size', pack(A, delta([5, 4, 0x90, 4], A.length))],
    ['a difference that copies beyond its base', pack(A, delta([4, 5, 0x90, 5], A.length))],
    ['a difference that is cut off', pack(A, delta([4, 6, 0x90, 4, 9, 1], A.length))],
    ['a difference with a reserved instruction', pack(A, delta([4, 4, 0], A.length))],
  ];
  for (const [what, bytes] of broken) {
    test(`${what} is refused`, async () => assert.rejects(check(bytes), { code: 'GitProtocolError' }));
  }

  const large: [string, Buffer, RegExp][] = [
    ['more objects than allowed', pack(...Array.from({ length: 101 }, () => A)), /objectCount/],
    ['an object that declares a gigabyte', pack(Buffer.concat([header(BLOB, 2 ** 30), zeros])), /object bytes/],
    [
      'an object that declares more than can be counted',
      pack(Buffer.concat([Buffer.alloc(40, 0xbf), zeros])),
      /object bytes/,
    ],
    [
      'a difference that makes a gigabyte',
      pack(A, delta([4, 0x80, 0x80, 0x80, 0x80, 4, 0x90, 4], A.length)),
      /object bytes/,
    ],
  ];
  for (const [what, bytes, message] of large) {
    test(`${what} is a limit`, async () => assert.rejects(check(bytes), { code: 'GitLimitExceeded', message }));
  }

  test('a chain of differences without end is a limit', async () => {
    const copies = [A];
    for (let index = 0; index < 4097; index += 1) {
      const before = copies.at(-1) ?? A;
      copies.push(delta([4, 4, 0x90, 4], before.length));
    }
    const many = checked(pack(...copies), { objectCount: 10_000 });
    await assert.rejects(many, { code: 'GitLimitExceeded', message: /delta depth/ });
  });

  test('a chain that costs too much to follow is a limit, however few bytes it has', async () => {
    // Each of the three doubles what is before it: 4, 8, 16, 32 bytes.
    const chain = [A];
    for (const size of [4, 8, 16]) chain.push(delta([size, 2 * size, 0x90, size, 0x90, size], chain.at(-1)?.length));
    assert.equal((await checked(pack(...chain), { objectCount: 10, chainBytes: 60 })).objects, 4);
    const tooMuch = checked(pack(...chain), { objectCount: 10, chainBytes: 59 });
    await assert.rejects(tooMuch, { code: 'GitLimitExceeded', message: /delta bytes/ });
  });

  test('who has gone stops the work', async () => {
    let calls = 0;
    const pause = async (): Promise<void> => {
      calls += 1;
      if (calls === 2) throw new Error('gone');
    };
    await assert.rejects(checked(pack(A, A, A), LIMITS, pause), /gone/);
  });
});
