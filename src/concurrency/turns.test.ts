import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turns } from './turns.ts';

it('whoever asked for a turn hears its end before what waited for it, and a turn in between makes it wait on', async () => {
  const heard: string[] = [];
  const turns = new Turns((key) => heard.push(`idle ${key}`));
  const take = async (name: string) => {
    await turns.run('a', () => Promise.resolve());
    heard.push(name);
  };
  await take('first');
  assert.ok(turns.busy('a'));
  await take('second');
  assert.deepEqual(heard, ['first', 'second']);
  await nextTurn();
  assert.deepEqual(heard, ['first', 'second', 'idle a']);
  assert.ok(!turns.busy('a'));
});

it('a turn that failed ends like any other', async () => {
  const heard: string[] = [];
  const turns = new Turns((key) => heard.push(key));
  await assert.rejects(turns.run('a', () => Promise.reject(new Error('no'))));
  await turns.run('a', () => Promise.resolve());
  await nextTurn();
  assert.deepEqual(heard, ['a']);
});
