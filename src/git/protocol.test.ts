import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { line } from './pkt-line.ts';
import {
  FilterRefused,
  WantRefused,
  fetchRequest,
  readFetch,
  readGreeting,
  readRefs,
  refsRequest,
} from './protocol.ts';
import type { ServerRef } from './refs.ts';

const oid = (digit: string): string => digit.repeat(40);

async function* bytes(...parts: (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

function band(number: number, content: string): string {
  return `${(content.length + 5).toString(16).padStart(4, '0')}${String.fromCharCode(number)}${content}`;
}

const v2 = (...capabilities: string[]) => bytes(line('version 2'), ...capabilities.map(line), '0000');
const v0 = (capabilities: string, ...refs: string[]) =>
  bytes(
    line('# service=git-upload-pack'),
    '0000',
    line(`${oid('1')} HEAD\0${capabilities}`),
    ...refs.map(line),
    '0000',
  );

suite('what a server can do', () => {
  test('protocol v2, everything', async () => {
    const server = await readGreeting(
      v2('agent=git/2', 'ls-refs=unborn', 'fetch=shallow filter', 'object-format=sha1'),
    );
    assert.deepEqual([server.version, server.shallow, server.filter, server.wantsByOid], [2, true, true, true]);
  });

  test('protocol v2, neither shallow nor filter', async () => {
    const server = await readGreeting(v2('ls-refs', 'fetch'));
    assert.deepEqual([server.version, server.shallow, server.filter], [2, false, false]);
  });

  test('protocol v0, with its refs and peeled tags', async () => {
    const tags = [`${oid('2')} refs/tags/v1`, `${oid('3')} refs/tags/v1^{}`];
    const refs: ServerRef[] = [];
    const server = await readGreeting(v0('side-band-64k shallow filter', ...tags), { take: (ref) => refs.push(ref) });
    assert.deepEqual([server.version, server.shallow, server.filter], [0, true, false]);
    assert.deepEqual(refs, [
      { name: 'HEAD', oid: oid('1') },
      { name: 'refs/tags/v1', oid: oid('2'), peeled: oid('3') },
    ]);
  });

  test('protocol v0 filters only when blobs can be had later', async () => {
    const announced = 'side-band-64k filter allow-tip-sha1-in-want allow-reachable-sha1-in-want';
    assert.equal((await readGreeting(v0(announced))).filter, true);
  });

  test('protocol v1 is v0 with a headline', async () => {
    const greeting = bytes(line('version 1'), line(`${oid('1')} HEAD\0side-band-64k`), '0000');
    assert.equal((await readGreeting(greeting)).version, 0);
  });

  test('protocol v0, an empty repository', async () => {
    const greeting = bytes(line(`${oid('0')} capabilities^{}\0side-band-64k`), '0000');
    const refs: ServerRef[] = [];
    await readGreeting(greeting, { take: (ref) => refs.push(ref) });
    assert.deepEqual(refs, []);
  });

  const refused: [string, AsyncIterable<Uint8Array>, string][] = [
    ['sha256 over v2', v2('ls-refs', 'fetch', 'object-format=sha256'), 'Sha256NotSupported'],
    ['sha256 over v0', v0('side-band-64k object-format=sha256'), 'Sha256NotSupported'],
    ['no side band', v0('shallow'), 'GitProtocolError'],
    ['no fetch', v2('ls-refs'), 'GitProtocolError'],
    ['nothing', bytes(), 'GitProtocolError'],
    ['capabilities without end', v2(...Array.from({ length: 1000 }, (_, at) => `x${at}`)), 'GitProtocolError'],
    ['an error', bytes(line('ERR repository not found')), 'RepositoryNotFound'],
  ];
  for (const [what, greeting, code] of refused) {
    test(`${what} is refused`, async () => assert.rejects(readGreeting(greeting), { code }));
  }
});

suite('refs', () => {
  test('are read with what tags point to', async () => {
    const answer = bytes(
      line(`${oid('1')} refs/heads/main`),
      line(`${oid('2')} refs/tags/v1 peeled:${oid('3')}`),
      line('unborn HEAD symref-target:refs/heads/x'),
      '0000',
    );
    const refs: ServerRef[] = [];
    await readRefs(answer, { take: (ref) => refs.push(ref) });
    assert.deepEqual(refs, [
      { name: 'refs/heads/main', oid: oid('1') },
      { name: 'refs/tags/v1', oid: oid('2'), peeled: oid('3') },
    ]);
  });

  test('a list that ends too early is an error, never a shorter list', async () => {
    const answer = bytes(line(`${oid('1')} refs/heads/main`));
    await assert.rejects(readRefs(answer, { take: () => {} }), { code: 'GitProtocolError' });
  });
});

suite('requests', () => {
  const wish = { wants: [oid('1')], haves: [oid('2')], shallow: [oid('2')], deepen: true, filter: true };

  test('v2', async () => {
    const server = await readGreeting(v2('ls-refs', 'fetch=shallow filter', 'object-format=sha1'));
    const expected =
      '0012command=fetch\n0018agent=git/plumbline\n0017object-format=sha1\n0001000ethin-pack\n0010no-progress\n000eofs-delta\n' +
      `0032want ${oid('1')}\n0035shallow ${oid('2')}\n000ddeepen 1\n0015filter blob:none\n0032have ${oid('2')}\n0009done\n0000`;
    assert.equal(fetchRequest(server, wish), expected);
    assert.match(
      refsRequest(server, ['refs/heads/main']),
      /^0014command=ls-refs\n.*001fref-prefix refs\/heads\/main\n0000$/s,
    );
  });

  test('v0 names only capabilities that were announced', async () => {
    const server = await readGreeting(v0('side-band-64k ofs-delta shallow multi_ack'));
    const request = fetchRequest(server, { ...wish, wants: [oid('1'), oid('3')], filter: false });
    assert.match(
      request,
      new RegExp(`^....want ${oid('1')} side-band-64k ofs-delta shallow agent=\\S+\n0032want ${oid('3')}\n`),
    );
    assert.match(request, new RegExp(`\n0035shallow ${oid('2')}\n000ddeepen 1\n00000032have ${oid('2')}\n0009done\n$`));
  });
});

suite('the answer to a fetch', () => {
  async function packOf(...parts: string[]): Promise<{ pack: string; shallow: string[]; unshallow: string[] }> {
    const { pack, shallow, unshallow } = await readFetch(bytes(...parts));
    const chunks: Uint8Array[] = [];
    for await (const chunk of pack) chunks.push(chunk);
    return { pack: Buffer.concat(chunks).toString(), shallow, unshallow };
  }

  test('v2: sections, bands, progress left out', async () => {
    const answer = await packOf(
      line('shallow-info'),
      line(`shallow ${oid('1')}`),
      line(`unshallow ${oid('2')}`),
      '0001',
      line('packfile'),
      band(2, 'Counting'),
      band(1, 'PA'),
      band(1, 'CK'),
      '0000',
    );
    assert.deepEqual(answer, { pack: 'PACK', shallow: [oid('1')], unshallow: [oid('2')] });
  });

  test('v0: shallow lines, acknowledgement, bands without a headline', async () => {
    const answer = await packOf(line(`shallow ${oid('1')}`), '0000', line('NAK'), band(1, 'PACK'), '0000');
    assert.deepEqual(answer, { pack: 'PACK', shallow: [oid('1')], unshallow: [] });
  });

  test('without a flush at the end the pack is cut off', async () => {
    await assert.rejects(packOf(line('packfile'), band(1, 'PACK')), { code: 'GitProtocolError' });
  });

  test('no pack at all', async () => assert.rejects(packOf('0000'), { code: 'GitProtocolError' }));

  test('a refused object, a refused filter', async () => {
    await assert.rejects(packOf(line(`ERR upload-pack: not our ref ${oid('1')}`)), WantRefused);
    await assert.rejects(packOf(line("ERR filter 'blob:none' not supported")), FilterRefused);
  });

  test('a fatal message amid the pack is not shown', async () => {
    const failed = packOf(line('packfile'), band(1, 'PACK'), band(3, 'fatal: token abc'), '0000');
    await assert.rejects(failed, (error: Error) => !error.message.includes('abc'));
  });
});
