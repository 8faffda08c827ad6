import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { line, packets, textOf, type Packet } from './pkt-line.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, size: number): Promise<string[]> {
  const seen: string[] = [];
  const show = (packet: Packet): string => (typeof packet === 'string' ? packet : textOf(packet));
  for await (const packet of packets(inChunks(text, size))) seen.push(show(packet));
  return seen;
}

suite('packets', () => {
  const stream = `${line('want 1')}0001${line('zwei — 2')}00040002000bno-line0000`;
  for (const size of [1, 2, 3, 7, 1000]) {
    test(`are found in chunks of ${size} bytes`, async () => {
      const expected = ['want 1', 'delimiter', 'zwei — 2', '', 'end', 'no-line', 'flush'];
      const latin1 = Buffer.from(stream, 'utf8').toString('latin1');
      assert.deepEqual(await read(latin1, size), expected);
    });
  }

  for (const bad of ['0003', 'zzzz', '-001', 'ffff', '0x10', '<htm', '0010short', '00']) {
    test(`${JSON.stringify(bad)} is no packet`, async () => {
      await assert.rejects(read(bad, 4), { code: 'GitProtocolError' });
    });
  }

  test('a line counts bytes, not characters', () => assert.equal(line('é'), '0007é\n'));
});
