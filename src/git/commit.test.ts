import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseCommit } from './commit.ts';

const SHA = 'a'.repeat(40);
const TREE = 'b'.repeat(40);

function commit(headers: string, message: string, encoding: BufferEncoding = 'utf8'): Buffer {
  return Buffer.from(`tree ${TREE}\n${headers}\n\n${message}`, encoding);
}

suite('commits', () => {
  const author = 'author Ada Lovelace <ada@example.org> 1700000000 +0100';
  const committer = 'committer Bob <b@example.org> 1700003600 -0500';

  test('author, first line, committer time', () => {
    assert.deepEqual(parseCommit(SHA, commit(`${author}\n${committer}`, 'Raise the limit\n\nBecause.\n')), {
      sha: SHA,
      tree: TREE,
      author: 'Ada Lovelace <ada@example.org>',
      subject: 'Raise the limit',
      time: '2023-11-14T23:13:20Z',
    });
  });

  test('a signed commit: the lines of the signature are no headers', () => {
    const signature = 'gpgsig -----BEGIN PGP SIGNATURE-----\n author X <x> 1 +0000\n -----END PGP SIGNATURE-----';
    assert.equal(
      parseCommit(SHA, commit(`${signature}\n${author}\n${committer}`, 'x')).author,
      'Ada Lovelace <ada@example.org>',
    );
  });

  test('latin-1, when the commit says so', () => {
    const raw = commit(`author José <j@x> 1 +0000\n${committer}\nencoding ISO-8859-1`, 'Año\n', 'latin1');
    const { author, subject } = parseCommit(SHA, raw);
    assert.deepEqual([author, subject], ['José <j@x>', 'Año']);
  });

  test('a long first line is cut between characters, control characters go', () => {
    const { subject } = parseCommit(SHA, commit(`${author}\n${committer}`, `\u001b[31m${'🦊'.repeat(300)}`));
    assert.equal(Array.from(subject).length, 200);
    assert.ok(subject.isWellFormed() && !subject.includes('\u001b'));
  });

  test('an empty message and a missing time are no reason to fail', () => {
    const { subject, time } = parseCommit(SHA, commit('author x\ncommitter y', ''));
    assert.deepEqual([subject, time], ['', '1970-01-01T00:00:00Z']);
  });

  test('without a tree it is no commit', () => {
    assert.throws(() => parseCommit(SHA, Buffer.from('tree x\n\n')), { code: 'GitProtocolError' });
  });
});
