import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DiskRoom } from './disk-room.ts';

const { signal } = new AbortController();
const TOO_MUCH = { code: 'GitLimitExceeded', message: /diskBytes/ };

/** A folder in which `idle` bytes of `stored` are in nobody's use. */
function roomOf(bytes: number, { stored = 0, idle = 0 } = {}) {
  const folder = { stored, idle, looks: 0 };
  const room = new DiskRoom(bytes, async (allowed) => {
    folder.looks += 1;
    const freed = Math.min(folder.idle, Math.max(0, folder.stored - allowed));
    folder.stored -= freed;
    folder.idle -= freed;
    return folder.stored;
  });
  return { room, folder };
}

describe('the room on disk', () => {
  it('is looked for once, and not again as long as there is enough', async () => {
    const { room, folder } = roomOf(100, { stored: 10 });
    const one = room.arrival(signal);
    for (let count = 0; count < 9; count += 1) await one.add(10);
    assert.equal(folder.looks, 1);
  });

  it('is made by what nobody uses, and no more of it than needed', async () => {
    const { room, folder } = roomOf(100, { stored: 90, idle: 50 });
    await room.arrival(signal).add(30);
    assert.deepEqual([folder.stored, folder.idle], [70, 30]);
  });

  it('counts what has arrived and stays, and not what went', async () => {
    const { room, folder } = roomOf(100);
    const [kept, dropped] = [room.arrival(signal), room.arrival(signal)];
    await kept.add(60);
    await dropped.add(30);
    kept.end(true);
    dropped.end(false);
    const next = room.arrival(signal);
    await next.add(40);
    assert.equal(folder.looks, 1);
    folder.stored = 60;
    await assert.rejects(next.add(1), TOO_MUCH);
    assert.equal(folder.looks, 2);
  });

  it('is taken from the largest that is arriving, and the small one goes on', async () => {
    const { room } = roomOf(100);
    const [large, small] = [room.arrival(signal), room.arrival(signal)];
    await large.add(80);
    await small.add(30);
    assert.ok(!small.signal.aborted);
    assert.equal((large.signal.reason as { code: string }).code, 'GitLimitExceeded');
    await assert.rejects(large.add(1), TOO_MUCH);
    await small.add(60);
  });

  it('is refused to who needs more of it than there can be', async () => {
    const { room } = roomOf(100, { stored: 50 });
    const one = room.arrival(signal);
    await one.add(50);
    await assert.rejects(one.add(1), TOO_MUCH);
    await assert.rejects(room.arrival(signal).add(51), TOO_MUCH);
    await room.arrival(signal).add(50);
  });

  it('is made for all that arrives before anything is ended, whoever looked first', async () => {
    let stored = 100;
    const room = new DiskRoom(100, async (allowed) => {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      return (stored = Math.min(stored, Math.max(0, allowed)));
    });
    await room.look();
    const [first, second] = [room.arrival(signal), room.arrival(signal)];
    const adding = first.add(10);
    await turn();
    await Promise.all([adding, second.add(5)]);
    assert.equal(stored, 85);
  });

  it('counts what came to stay while somebody looked', async () => {
    let stored = 0;
    const looks: (() => void)[] = [];
    const room = new DiskRoom(100, () => {
      const seen = stored;
      return new Promise((resolve) => looks.push(() => resolve(seen)));
    });
    const ended = async () => {
      await turn();
      looks.shift()?.();
      await turn();
    };
    void room.look();
    await ended();
    const look = room.look();
    const one = room.arrival(signal);
    await one.add(60);
    stored = 60;
    one.end(true);
    await ended();
    await look;
    const refused = assert.rejects(room.arrival(signal).add(60), TOO_MUCH);
    await ended();
    await refused;
  });

  it('is not waited for by who gives up', async () => {
    const never = new DiskRoom(100, () => new Promise(() => undefined));
    const caller = new AbortController();
    const adding = never.arrival(caller.signal).add(1);
    caller.abort(new Error('no longer wanted'));
    await assert.rejects(adding, /no longer wanted/);
  });
});
