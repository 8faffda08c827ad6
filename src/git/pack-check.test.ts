import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { checkPack } from './pack-check.ts';

const LIMITS = { objectCount: 100 };
const BLOB = 3;
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

async function check(bytes: Buffer): Promise<number> {
  return checkPack(bytes, LIMITS, () => undefined);
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

  test('what git itself writes, differences included', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-pack-'));
    try {
      const git = (...args: string[]): Buffer =>
        execFileSync('git', args, { cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] });
      git('init', '-q');
      const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
      for (let version = 0; version < 5; version += 1) {
        lines[version * 300] = `changed ${version}`;
        writeFileSync(join(dir, 'file'), lines.join('\n'));
        git('add', '-A');
        git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', `version ${version}`);
      }
      const bytes = execFileSync('git', ['pack-objects', '--all', '--stdout', '--delta-base-offset', '-q'], {
        cwd: dir,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      assert.equal(await check(bytes), 15);
      // Every single flipped byte is seen.
      for (let at = 0; at < bytes.length; at += 97) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ 1;
        await assert.rejects(check(flipped), { code: 'GitProtocolError' });
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
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
    const many = checkPack(pack(...copies), { objectCount: 10_000 }, () => undefined);
    await assert.rejects(many, { code: 'GitLimitExceeded', message: /delta depth/ });
  });

  test('who has gone stops the work', async () => {
    let calls = 0;
    const pause = async (): Promise<void> => {
      calls += 1;
      if (calls === 2) throw new Error('gone');
    };
    await assert.rejects(checkPack(pack(A, A, A), LIMITS, pause), /gone/);
  });
});
