import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '../../test/manual-clock.ts';
import { type Handler, WorkQueue, type WorkQueueOptions } from './queue.ts';

/** A queue on a clock that stands still, and a handler whose runs the test ends one by one. */
function setUp(t: TestContext, options: WorkQueueOptions & { workers?: number } = {}) {
  const clock = new ManualClock();
  const queue = new WorkQueue({ clock, random: () => 1, ...options });
  const stop = new AbortController();
  const started: string[] = [];
  const running = new Map<string, { resolve: () => void; reject: (error: Error) => void; signal: AbortSignal }>();
  const handler: Handler = (key, signal) => {
    started.push(key);
    const run = Promise.withResolvers<void>();
    assert.ok(!running.has(key), `${key} runs twice at the same time`);
    running.set(key, { resolve: run.resolve, reject: run.reject, signal });
    return run.promise.finally(() => running.delete(key));
  };
  const run = (): Promise<void> => queue.run(options.workers ?? 1, handler, stop.signal);
  t.after(() => stop.abort());
  const end = async (key: string): Promise<void> => {
    running.get(key)?.resolve();
    await turn();
  };
  return { clock, queue, started, running, run, end, stop };
}

describe('WorkQueue', () => {
  test('no owner holds all workers, however many of its keys hang', async (t) => {
    const { queue, started, running, run, end } = setUp(t, { workers: 8, ownerOf: (key) => key.slice(0, 1) });
    for (let index = 0; index < 20; index += 1) queue.add(`a/${index}`);
    void run();
    await turn();
    assert.deepEqual(started, ['a/0', 'a/1', 'a/2', 'a/3']);
    for (let index = 0; index < 20; index += 1) queue.add(`b/${index}`);
    await turn();
    assert.deepEqual(started.slice(4), ['b/0', 'b/1']);
    queue.add('c/0');
    await turn();
    assert.deepEqual(started.slice(6), ['c/0']);
    // One place must stay free for a fourth owner, so the first end lets nobody in.
    await end('a/0');
    assert.equal(started.length, 7);
    await end('a/1');
    assert.deepEqual(started.slice(7), ['a/4']);
    for (const key of ['a/2', 'a/3', 'b/0', 'b/1', 'c/0']) await end(key);
    await turn();
    assert.deepEqual([...running.keys()].sort(), ['a/4', 'a/5', 'a/6', 'b/2', 'b/3', 'b/4']);
  });

  test('a burst collapses into one run, in the order of the first add', async (t) => {
    const { queue, started, run, end } = setUp(t);
    for (const key of ['a', 'b', 'a', 'a', 'c', 'b']) queue.add(key);
    assert.equal(queue.depth, 3);
    void run();
    await turn();
    for (const key of ['a', 'b', 'c']) await end(key);
    assert.deepEqual(started, ['a', 'b', 'c']);
    assert.equal(queue.depth, 0);
  });

  test('adds to idle workers in one turn collapse as well', async (t) => {
    const { queue, started, run, end } = setUp(t, { workers: 3 });
    void run();
    await turn();
    queue.add('a');
    queue.add('a');
    await turn();
    await end('a');
    assert.deepEqual(started, ['a']);
  });

  test('a key that is added while it runs runs again, once, and never beside itself', async (t) => {
    const { queue, started, run, end } = setUp(t, { workers: 2 });
    void run();
    queue.add('a');
    await turn();
    queue.add('a');
    queue.add('a');
    await turn();
    assert.deepEqual([started, queue.depth, queue.running], [['a'], 1, 1]);
    await end('a');
    await end('a');
    assert.deepEqual([started, queue.depth, queue.running], [['a', 'a'], 0, 0]);
  });

  test('as many keys run at once as there are workers', async (t) => {
    const { queue, started, run, running, end } = setUp(t, { workers: 2 });
    void run();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await turn();
    assert.deepEqual([...running.keys()], ['a', 'b']);
    await end('b');
    assert.deepEqual([...running.keys()], ['a', 'c']);
    assert.deepEqual(started, ['a', 'b', 'c']);
  });

  test('high goes before low, a low key can be raised, and each fourth key is a low one', async (t) => {
    const { queue, started, run, end } = setUp(t);
    for (const key of ['low1', 'low2', 'raised']) queue.add(key, 'low');
    for (const key of ['h1', 'h2', 'raised', 'h4', 'h5']) queue.add(key);
    queue.add('h1', 'low');
    void run();
    await turn();
    for (let at = 0; at < 7; at++) await end(started[at] ?? '');
    assert.deepEqual(started, ['h1', 'h2', 'raised', 'low1', 'h4', 'h5', 'low2']);
  });

  test('the earlier of two due times wins, and one timer serves all keys', async (t) => {
    const { clock, queue } = setUp(t);
    const dueAfter = (ms: number): number => {
      clock.advance(ms);
      return queue.depth;
    };
    queue.addAfter('a', 1000);
    queue.addAfter('a', 200);
    queue.addAfter('a', 500);
    queue.addAfter('b', 300);
    assert.equal(clock.pending, 1);
    assert.equal(dueAfter(199), 0);
    assert.equal(dueAfter(1), 1);
    assert.equal(dueAfter(100), 2);
    assert.equal(clock.pending, 0, 'the due times that lost left no timer behind');
    queue.addAfter('c', 0);
    assert.equal(queue.depth, 3);
  });

  test('a delay beyond the longest timer is kept', (t) => {
    const { clock, queue } = setUp(t);
    queue.addAfter('a', 2 ** 32);
    clock.advance(2 ** 32 - 1);
    assert.equal(queue.depth, 0);
    clock.advance(1);
    assert.equal(queue.depth, 1);
  });

  const delays: { random: number; calls: number; expected: number }[] = [
    { random: 1, calls: 1, expected: 5 },
    { random: 1, calls: 2, expected: 10 },
    { random: 1, calls: 5, expected: 80 },
    { random: 0, calls: 1, expected: 2.5 },
    { random: 0.5, calls: 2, expected: 7.5 },
    { random: 1, calls: 5000, expected: 1000 },
  ];
  for (const { random, calls, expected } of delays) {
    test(`failure ${calls} waits ${expected} ms when the random number is ${random}`, (t) => {
      const { clock, queue } = setUp(t, { random: () => random, maxDelayMs: 1000 });
      for (let call = 1; call < calls; call++) {
        queue.addRateLimited('a');
        clock.advance(1000);
      }
      queue.addRateLimited('a');
      assert.equal(clock.nextIn, expected);
    });
  }

  test('failures are counted for each key, until they are forgotten', (t) => {
    const { clock, queue } = setUp(t);
    const delayOf = (key: string): number => {
      queue.addRateLimited(key);
      const delay = clock.nextIn;
      clock.advance(delay);
      return delay;
    };
    assert.deepEqual(['a', 'a', 'b', 'a'].map(delayOf), [5, 10, 5, 20]);
    queue.forget('a');
    assert.deepEqual(['a', 'b'].map(delayOf), [5, 10]);
  });

  test('a handler that throws is reported and retried, and its worker lives on', async (t) => {
    const errors: unknown[] = [];
    const { clock, queue, started, running, run, end } = setUp(t, {
      onError: (key, error) => errors.push([key, (error as Error).message]),
    });
    void run();
    queue.add('a');
    queue.add('b');
    await turn();
    running.get('a')?.reject(new Error('no route'));
    await turn();
    await end('b');
    clock.advance(5);
    await turn();
    await end('a');
    assert.deepEqual(started, ['a', 'b', 'a']);
    assert.deepEqual(errors, [['a', 'no route']]);
  });

  test('an interrupted run is aborted, is no failure, and the key runs again', async (t) => {
    const errors: unknown[] = [];
    const { clock, queue, started, running, run, end } = setUp(t, {
      workers: 2,
      onError: (_key, error) => errors.push(error),
    });
    void run();
    queue.add('a');
    queue.add('b');
    await turn();
    const first = running.get('a');
    queue.interrupt('a');
    assert.equal(first?.signal.aborted, true);
    assert.equal(running.get('b')?.signal.aborted, false);
    first.reject(new Error('aborted'));
    await turn();
    assert.deepEqual(started, ['a', 'b', 'a']);
    assert.equal(running.get('a')?.signal.aborted, false);
    await end('a');
    assert.deepEqual([errors, clock.pending], [[], 0]);
  });

  test('an abort reaches the handlers, drops what waits, and run ends with the last of them', async (t) => {
    const { clock, queue, started, running, run, end, stop } = setUp(t);
    let ended = false;
    const done = run().then(() => (ended = true));
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await turn();
    stop.abort();
    assert.equal(running.get('a')?.signal.aborted, true);
    await turn();
    assert.equal(ended, false, 'the handler has not ended yet');
    await end('a');
    await done;
    queue.add('d');
    queue.addAfter('d', 1);
    assert.deepEqual([started, queue.depth, clock.pending], [['a'], 0, 0]);
  });

  test('a shutdown lets the running handler finish in peace', async (t) => {
    const { queue, started, running, run, end } = setUp(t, { workers: 3 });
    const done = run();
    queue.add('a');
    await turn();
    queue.add('a');
    queue.shutdown();
    assert.equal(running.get('a')?.signal.aborted, false);
    await end('a');
    await done;
    assert.deepEqual(started, ['a']);
  });

  test('a queue whose signal has aborted already handles nothing', async (t) => {
    const { queue, started, run, stop } = setUp(t);
    queue.add('a');
    stop.abort();
    await run();
    assert.deepEqual([started, queue.depth], [[], 0]);
  });

  test('random traffic: no key beside itself, nothing lost, all ends', async () => {
    let seed = 42;
    const random = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
    const clock = new ManualClock();
    const queue = new WorkQueue({ clock, random });
    const stop = new AbortController();
    const wanted = new Map<string, number>();
    const seen = new Map<string, number>();
    const running = new Set<string>();
    const handler: Handler = async (key) => {
      assert.ok(!running.has(key));
      running.add(key);
      seen.set(key, wanted.get(key) ?? 0);
      for (let turns = random() * 4; turns > 0; turns--) await turn();
      running.delete(key);
      if (random() < 0.1) throw new Error('now and then');
    };
    const done = queue.run(4, handler, stop.signal);
    for (let step = 1; step <= 2000; step++) {
      const key = `key${Math.floor(random() * 20)}`;
      wanted.set(key, step);
      if (random() < 0.3) queue.addAfter(key, random() * 50);
      else queue.add(key, random() < 0.5 ? 'high' : 'low');
      if (random() < 0.5) await turn();
      clock.advance(1);
    }
    while (queue.depth > 0 || queue.running > 0 || clock.pending > 0) {
      clock.advance(1000);
      await turn();
    }
    assert.deepEqual(seen, wanted);
    stop.abort();
    await done;
  });
});
