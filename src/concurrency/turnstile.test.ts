import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Turnstile } from './turnstile.ts';

suite('one at a time', () => {
  test('in the order of arrival; who gives up waiting holds nobody up', async () => {
    const turns = new Turnstile();
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { signal } = new AbortController();
    const leaver = new AbortController();
    const one = turns.pass(signal, async () => {
      await promise;
      order.push('one');
    });
    const two = turns.pass(leaver.signal, async () => order.push('two'));
    const three = turns.pass(signal, async () => order.push('three'));
    leaver.abort(new Error('gave up'));
    await assert.rejects(two, /gave up/);
    assert.deepEqual(order, []);
    resolve();
    await Promise.all([one, three]);
    assert.deepEqual(order, ['one', 'three']);
  });
});
