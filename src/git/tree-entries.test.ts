import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isHostileName, parseTree } from './tree-entries.ts';

function entry(mode: string, name: string | Buffer, digit = '1'): Buffer {
  return Buffer.concat([
    Buffer.from(`${mode} `),
    Buffer.from(name),
    Buffer.from([0]),
    Buffer.from(digit.repeat(40), 'hex'),
  ]);
}

suite('tree objects', () => {
  test('kinds, names and ids', () => {
    const tree = Buffer.concat([
      entry('100644', 'a.yaml', '1'),
      entry('100755', 'b', '2'),
      entry('40000', 'é', '3'),
      entry('120000', 'link', '4'),
      entry('160000', 'sub', '5'),
    ]);
    assert.deepEqual(
      parseTree(tree, '').map(({ kind, name, oid }) => `${kind} ${name} ${oid[0]}`),
      ['file a.yaml 1', 'file b 2', 'directory é 3', 'link link 4', 'submodule sub 5'],
    );
  });

  const escaped: [string, Buffer, string][] = [
    ['latin-1', Buffer.from('é.yaml', 'latin1'), '\\xe9.yaml'],
    ['a newline', Buffer.from('a\nb'), 'a\\x0ab'],
    ['an escape', Buffer.from('\u001b[2J'), '\\x1b[2J'],
  ];
  for (const [what, name, shown] of escaped) {
    test(`${what} in a name is unreadable, and shown escaped`, () => {
      assert.deepEqual(parseTree(entry('100644', name), ''), [
        { kind: 'file', name: shown, unreadable: true, oid: '1'.repeat(40) },
      ]);
    });
  }

  const broken: [string, Buffer][] = [
    ['an id cut off', entry('100644', 'a').subarray(0, -1)],
    ['no name', Buffer.from('100644')],
    ['an unknown mode', entry('777', 'a')],
    ['a name twice', Buffer.concat([entry('100644', 'a'), entry('40000', 'a')])],
    ['an empty name', entry('100644', '')],
    ['a slash', entry('100644', 'a/b')],
    ['the parent', entry('40000', '..')],
  ];
  for (const [what, tree] of broken) {
    test(`${what} is refused, and the folder named`, () => {
      assert.throws(() => parseTree(tree, 'deploy/x'), { code: 'HostileTree', message: /deploy\/x/ });
    });
  }
});

suite('names that no sound Git writes', () => {
  const hostile = [
    '',
    '.',
    '..',
    'a/b',
    '/',
    '.git',
    '.GIT',
    '.gIt',
    'git~1',
    'GIT~1',
    '.git ',
    '.git.',
    '.git. .',
    '.git::$x',
  ];
  for (const name of [...hostile, '.g\u200cit', '\ufeff.git', '.git\u202e']) {
    test(JSON.stringify(name), () => assert.equal(isHostileName(name), true));
  }
  for (const name of ['...', '.gitignore', '.github', 'git', 'git~2', 'a.git', '.gitmodules', 'git~10', ' .git']) {
    test(`${JSON.stringify(name)} is fine`, () => assert.equal(isHostileName(name), false));
  }
});
