import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Relisted } from './relisted.ts';

/** None of `-`, two of what has two letters, else one. */
const work = (item: string): string[] => (item === '-' ? [] : item.length > 1 ? [item, `${item}!`] : [item]);

void test('whatever changed since the last time, the results are those of the list alone', () => {
  const lists = [
    'a b c',
    'a x c',
    'a x',
    'a x y',
    '- a x y',
    'aa a x y',
    'aa y',
    '',
    '-',
    'z',
    'z z z',
    'z z',
    'z - z',
    'bb z - z cc',
  ];
  const relisted = new Relisted<string, string>();
  for (const list of lists.map((text) => text.split(' '))) {
    assert.deepEqual(relisted.flatMap(list, work), list.flatMap(work), list.join());
  }
});

void test('only what changed is asked again, and nothing where what else counts is the same', () => {
  const asked: string[] = [];
  const relisted = new Relisted<string, string>();
  const ask = (list: string[], given?: unknown[]) => {
    asked.length = 0;
    return relisted.flatMap(list, (item) => (asked.push(item), work(item)), given);
  };
  const steps: [string[], unknown[], string[]][] = [
    [['a', '-', 'c'], [1], ['a', '-', 'c']],
    [['a', 'b', 'c'], [1], ['b']],
    [['a', 'b', 'x', 'c'], [1], ['x']],
    [['a', 'b', 'x', 'c'], [2], ['a', 'b', 'x', 'c']],
    [
      ['a', 'b', 'x', 'c'],
      [2, 3],
      ['a', 'b', 'x', 'c'],
    ],
    [['a', 'c'], [2, 3], []],
  ];
  for (const [list, given, expected] of steps) {
    assert.deepEqual(ask(list, given), list.flatMap(work));
    assert.deepEqual(asked, expected);
  }
  const last = ask(['a', 'c'], [2, 3]);
  assert.equal(ask(['a', 'c'], [2, 3]), last);
});

void test('what fails leaves what is known as it was', () => {
  const relisted = new Relisted<string, string>();
  relisted.flatMap(['a', 'b'], work);
  const fails = () => {
    throw new Error('over x');
  };
  assert.throws(() => relisted.flatMap(['a', 'x'], fails), /over x/);
  assert.deepEqual(relisted.flatMap(['a', 'b', 'c'], work), ['a', 'b', 'c']);
});
