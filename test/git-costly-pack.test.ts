// A pack that is small on the wire and takes long to check: whoever sends it waits for it, and the others do not.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { call, openTestGit, readAll } from './git-fixture.ts';
import { startGitServer } from './git-server.ts';
import { writePacket } from './git-wire.ts';

const BLOB = 3;
const REFERENCE = 7;

function varint(value: number): Buffer {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0));
    if (rest <= 127) return Buffer.from(bytes);
  }
}

function entry(type: number, content: Buffer, base = Buffer.alloc(0)): Buffer {
  const rest = Math.floor(content.length / 16);
  const head = Buffer.from([(type << 4) | (content.length & 15) | (rest > 0 ? 128 : 0)]);
  return Buffer.concat([head, ...(rest > 0 ? [varint(rest)] : []), base, deflateSync(content)]);
}

/** Differences with millions of instructions, each of which copies one byte. */
function costlyPack(differences: number, instructions: number): Buffer {
  const base = Buffer.alloc(1000, 'x');
  const oid = createHash('sha1').update(`blob ${base.length}\0`).update(base).digest();
  const copies = Buffer.alloc(instructions * 2, Buffer.from([0b10010000, 1]));
  const difference = Buffer.concat([varint(base.length), varint(instructions), copies]);
  const one = entry(REFERENCE, difference, oid);
  const head = Buffer.alloc(12, 'PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(differences + 1, 8);
  const body = Buffer.concat([head, entry(BLOB, base), ...Array.from({ length: differences }, () => one)]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function asAnswer(pack: Buffer): Buffer {
  const packets = [];
  for (let at = 0; at < pack.length; at += 60_000)
    packets.push(writePacket(Buffer.concat([Buffer.of(1), pack.subarray(at, at + 60_000)])));
  return Buffer.concat([writePacket('packfile\n'), ...packets, writePacket(0)]);
}

suite('a pack that takes long to check', () => {
  test('does not keep others from reading theirs', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const [costly, shop] = [await server.createRepository('costly'), await server.createRepository('shop')];
    await costly.write({ a: '1' });
    await shop.write({ a: '1' });
    const body = asAnswer(costlyPack(40, 30_000_000));
    const headers = { 'content-type': 'application/x-git-upload-pack-result' };
    const asked = Promise.withResolvers<void>();
    server.fault = ({ operation, repository }) => {
      if (operation !== 'fetch' || repository !== 'costly') return 'pass';
      asked.resolve();
      return { status: 200, headers, body };
    };
    const leave = new AbortController();
    let isChecked = false;
    const reading = readCostly().finally(() => (isChecked = true));
    async function readCostly(): Promise<void> {
      const tip = await git.resolve(costly, {}, call());
      await git.tree(costly, tip, '', call({ signal: leave.signal, timeoutMs: 600_000 }));
    }
    const ended = assert.rejects(reading, { name: 'AbortError' });
    await asked.promise;
    // Until all of it is here and the first of the differences is carried out.
    await delay(3000);
    await readAll(git, shop);
    assert.equal(isChecked, false, 'it is read while the other one is being checked');
    leave.abort();
    await ended;
  });
});
