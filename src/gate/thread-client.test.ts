import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import { DEFAULT_GUARD } from '../edge/guard.ts';
import { DEFAULT_EDGE_SETTINGS } from '../edge/input.ts';
import { Body } from '../render/body.ts';
import { EdgeThread, heapMb } from './thread-client.ts';
import type { Shown } from './world.ts';

const { signal } = new AbortController();
const rest = { secrets: new Map(), readers: new Set<string>(), settings: DEFAULT_EDGE_SETTINGS, guard: DEFAULT_GUARD };

/** What is shown of one object. */
type Showing = Parameters<Shown>;

function mapping(name: string, prefix: string, spec: object = {}): Showing {
  const object = {
    apiVersion: 'getambassador.io/v3alpha1',
    kind: 'Mapping',
    metadata: { name, namespace: 'shop' },
    spec: { hostname: '*', prefix, service: 'web', ...spec },
  };
  return [name, new Body(JSON.stringify(object)), 'shop/app', `${name}.yaml`, 1];
}

const REGEX = { prefix_regex: true };

const showing = (all: readonly Showing[]) => (shown: Shown) => all.forEach((one) => shown(...one));

async function frozenBy(thread: EdgeThread, ...all: Showing[]): Promise<string[]> {
  const { findings } = await thread.ask({ show: showing(all), ...rest }, signal);
  return findings.flatMap(({ impact, object }) =>
    impact === 'freeze' ? [`${object.name} ${object.origin.file}`] : [],
  );
}

test('each question is told as the difference to the one before', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  const [good, bad] = [mapping('a', '/a/'), mapping('b', '/(?=x)', REGEX)];
  assert.deepEqual(await frozenBy(thread, good), []);
  assert.deepEqual(await frozenBy(thread, good, bad), ['b b.yaml']);
  const moved: Showing = [...bad];
  moved[3] = 'moved.yaml';
  assert.deepEqual(await frozenBy(thread, good, moved), ['b moved.yaml']);
  assert.deepEqual(await frozenBy(thread, good), []);
  assert.deepEqual(await frozenBy(thread, bad, moved, good), ['b b.yaml'], 'the first showing counts');
});

test('of what the thread holds nothing is read again, and a body with the same text is no other', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  let reads = 0;
  class Counted extends Body {
    override get text(): string {
      reads += 1;
      return super.text;
    }
  }
  const [key, body, ...from] = mapping('b', '/(?=x)', REGEX);
  const shownAs = (one: Body): Showing => [key, one, ...from];
  const first = new Counted(body.text);
  assert.deepEqual(await frozenBy(thread, shownAs(first)), ['b b.yaml']);
  reads = 0;
  assert.deepEqual(await frozenBy(thread, shownAs(first)), ['b b.yaml']);
  assert.equal(reads, 0);
  const again = new Counted(body.text);
  assert.deepEqual(await frozenBy(thread, shownAs(again)), ['b b.yaml']);
  reads = 0;
  assert.deepEqual(await frozenBy(thread, shownAs(again)), ['b b.yaml']);
  assert.equal(reads, 0, 'the later body counts from then on');
});

test('a thread that fails over a question says so, and the next question is answered', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  const broken = showing([['x', new Body('not JSON')]]);
  await assert.rejects(thread.ask({ show: broken, ...rest }, signal), { code: 'EdgeJudgementFailed' });
  assert.deepEqual(await frozenBy(thread, mapping('b', '/(?=x)', REGEX)), ['b b.yaml']);
});

test('whoever no longer wants to know is let go at once, and the next question gets its own answer', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  const controller = new AbortController();
  const asked = thread.ask({ show: showing([mapping('a', '/a/')]), ...rest }, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
  assert.deepEqual(await frozenBy(thread, mapping('b', '/(?=x)', REGEX)), ['b b.yaml']);
});

test('the thread ends before the container does', () => {
  const MIB = 1024 ** 2;
  assert.equal(heapMb(512 * MIB), 256, 'the limit of deploy/deployment.yaml');
  assert.equal(heapMb(300 * MIB + 1), 150, 'whole megabytes');
  assert.equal(heapMb(8192 * MIB), 512);
  assert.equal(heapMb(32 * MIB), 64, 'with less nothing could be judged');
  assert.equal(heapMb(0), 512, 'no limit');
  assert.equal(heapMb(2 ** 64), 512, 'how a kernel says that there is none');
});
