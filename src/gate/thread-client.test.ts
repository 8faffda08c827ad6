import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import { DEFAULT_GUARD } from '../edge/guard.ts';
import { DEFAULT_EDGE_SETTINGS } from '../edge/input.ts';
import { EdgeThread } from './thread-client.ts';
import type { Entry } from './world.ts';

const { signal } = new AbortController();
const rest = { secrets: new Map(), readers: new Set<string>(), settings: DEFAULT_EDGE_SETTINGS, guard: DEFAULT_GUARD };

function mapping(name: string, prefix: string, spec: object = {}): [string, Entry] {
  const object = {
    apiVersion: 'getambassador.io/v3alpha1',
    kind: 'Mapping',
    metadata: { name, namespace: 'shop' },
    spec: { hostname: '*', prefix, service: 'web', ...spec },
  };
  return [name, { body: JSON.stringify(object), origin: { source: 'shop/app', file: `${name}.yaml`, line: 1 } }];
}

const REGEX = { prefix_regex: true };

async function frozenBy(thread: EdgeThread, entries: ReadonlyMap<string, Entry>): Promise<string[]> {
  const { findings } = await thread.ask({ entries, ...rest }, signal);
  return findings.flatMap(({ impact, object }) =>
    impact === 'freeze' ? [`${object.name} ${object.origin.file}`] : [],
  );
}

test('each question is told as the difference to the one before', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  const [good, bad] = [mapping('a', '/a/'), mapping('b', '/(?=x)', REGEX)];
  assert.deepEqual(await frozenBy(thread, new Map([good])), []);
  assert.deepEqual(await frozenBy(thread, new Map([good, bad])), ['b b.yaml']);
  const moved: [string, Entry] = ['b', { ...bad[1], origin: { ...bad[1].origin, file: 'moved.yaml' } }];
  assert.deepEqual(await frozenBy(thread, new Map([good, moved])), ['b moved.yaml']);
  assert.deepEqual(await frozenBy(thread, new Map([good])), []);
});

test('a thread that fails over a question says so, and the next question is answered', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  const broken = new Map([['x', { body: 'not JSON', origin: {} }]]);
  await assert.rejects(thread.ask({ entries: broken, ...rest }, signal), { code: 'EdgeJudgementFailed' });
  assert.deepEqual(await frozenBy(thread, new Map([mapping('b', '/(?=x)', REGEX)])), ['b b.yaml']);
});

test('whoever no longer wants to know is let go at once, and the next question gets its own answer', async (t) => {
  const thread = new EdgeThread(systemClock);
  t.after(() => thread.close());
  const controller = new AbortController();
  const asked = thread.ask({ entries: new Map([mapping('a', '/a/')]), ...rest }, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
  assert.deepEqual(await frozenBy(thread, new Map([mapping('b', '/(?=x)', REGEX)])), ['b b.yaml']);
});
