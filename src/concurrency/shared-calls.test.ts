import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { abortable } from './abortable.ts';
import { SharedCalls } from './shared-calls.ts';

suite('one call for all', () => {
  test('who comes while it runs gets its answer', async () => {
    const calls = new SharedCalls<number>();
    const { promise, resolve } = Promise.withResolvers<number>();
    let started = 0;
    const start = (): Promise<number> => {
      started += 1;
      return promise;
    };
    const { signal } = new AbortController();
    const both = Promise.all([calls.run('a', signal, start), calls.run('a', signal, start)]);
    resolve(7);
    assert.deepEqual([await both, started], [[7, 7], 1]);
  });

  test('one who leaves disturbs nobody; the last one ends the call', async () => {
    const calls = new SharedCalls<number>();
    let shared: AbortSignal | undefined;
    const start = (signal: AbortSignal): Promise<number> => {
      shared = signal;
      return abortable(new Promise<number>(() => undefined), signal);
    };
    const [first, second] = [new AbortController(), new AbortController()];
    const one = calls.run('a', first.signal, start);
    const two = calls.run('a', second.signal, start);
    first.abort(new Error('first left'));
    await assert.rejects(one, /first left/);
    assert.equal(shared?.aborted, false);
    second.abort(new Error('second left'));
    await assert.rejects(two, /second left/);
    assert.equal(shared?.aborted, true);
  });

  test('a failure reaches all and is not remembered', async () => {
    const calls = new SharedCalls<number>();
    const { signal } = new AbortController();
    const fails = async (): Promise<number> => Promise.reject(new Error('no'));
    const both = [calls.run('a', signal, fails), calls.run('a', signal, fails)];
    for (const call of both) await assert.rejects(call, /no/);
    assert.equal(await calls.run('a', signal, async () => 1), 1);
  });
});
