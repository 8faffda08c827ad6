// A reflector never gives up, misses nothing, and stops at once.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { KubeError } from '../src/kube/errors.ts';
import type { KubeObject } from '../src/kube/object.ts';
import type { KubeApi } from '../src/kube/objects.ts';
import { Reflector } from '../src/kube/reflector.ts';
import type { ReflectorHandler, ReflectorOptions, ReflectorTiming } from '../src/kube/reflector.ts';
import { freshNamespace, sharedCluster, startCluster } from './cluster.ts';
import { clientOf, resourceOf } from './kube-client.ts';
import { beginWatch, CONFIG_MAPS, configMap, fakeApi, sendList, sendStatus } from './kube-fake.ts';
import type { FakeRequest } from './kube-fake.ts';
import { tcpProxy } from './kube-tcp-proxy.ts';
import { until } from './until.ts';

const QUICK: Partial<ReflectorTiming> = { backoffFirstMs: 4, backoffCapMs: 20, shortLivedMs: 0 };
const signal = new AbortController().signal;

interface Watched extends AsyncDisposable {
  reflector: Reflector;
  /** `listed a,b @7`, `ADDED a`, … in order. */
  log: string[];
  problems: KubeError[];
  names: Set<string>;
  stop(): Promise<void>;
}

function watch(
  api: KubeApi,
  options: ReflectorOptions = { resource: CONFIG_MAPS },
  { timing = QUICK, handler = {} }: { timing?: Partial<ReflectorTiming>; handler?: Partial<ReflectorHandler> } = {},
): Watched {
  const log: string[] = [];
  const problems: KubeError[] = [];
  const names = new Set<string>();
  let listed: string[] = [];
  const reflector = new Reflector(
    api,
    options,
    {
      listStarted: () => (listed = []),
      item: ({ metadata }) => listed.push(metadata.name),
      listDone: (version) => {
        names.clear();
        for (const name of listed) names.add(name);
        log.push(`listed ${listed.join()} @${version}`);
      },
      event: (type, { metadata }) => {
        log.push(`${type} ${metadata.name}`);
        if (type === 'DELETED') names.delete(metadata.name);
        else names.add(metadata.name);
      },
      problem: (error) => problems.push(error),
      ...handler,
    },
    { timing },
  );
  const abort = new AbortController();
  const running = reflector.run(abort.signal);
  const stop = () => {
    abort.abort(new Error('stopped'));
    return running;
  };
  return { reflector, log, problems, names, stop, [Symbol.asyncDispose]: stop };
}

/** A fake of which each list and watch is told by a line of the script; the last one repeats. */
async function scripted(
  lists: ((r: ServerResponse) => void)[],
  watches: ((r: ServerResponse, q: FakeRequest) => void)[],
) {
  let [list, watch] = [0, 0];
  return fakeApi((request, response) => {
    if (request.query.get('watch') === 'true') watches[Math.min(watch++, watches.length - 1)]?.(response, request);
    else lists[Math.min(list++, lists.length - 1)]?.(response);
  });
}
const silent = (response: ServerResponse) => void beginWatch(response);
const watchQueries = (requests: FakeRequest[]) => requests.filter(({ query }) => query.has('watch'));

test('a real server: lists in pages, then every change; labels that are taken away read as deleted', async () => {
  const cluster = await sharedCluster();
  const namespace = await freshNamespace(cluster, 'reflect');
  await using api = clientOf(cluster);
  const resource = await resourceOf(api, 'v1', 'ConfigMap');
  const put = (name: string, labels: object, v = '') => {
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { v } });
    return api.apply(resource, namespace, name, body, { signal, fieldManager: 'test' });
  };
  await put('a', { on: 'yes' });
  await put('other', {});
  await using watched = watch(api, { resource, namespace, labelSelector: 'on=yes' });
  await watched.reflector.synced;
  assert.ok(watched.reflector.hasSynced);
  assert.deepEqual([...watched.names], ['a']);
  await put('b', { on: 'yes' });
  await put('a', { on: 'yes' }, '2');
  await put('a', {}, '2');
  await api.delete(resource, namespace, 'b', { signal });
  await until(() => watched.log.length === 5);
  assert.deepEqual(watched.log.slice(1), ['ADDED b', 'MODIFIED a', 'DELETED a', 'DELETED b']);
  assert.deepEqual(watched.problems, []);
});

test('a real server: metadata only, in the list and in the events', async () => {
  const cluster = await sharedCluster();
  const namespace = await freshNamespace(cluster, 'metadata');
  await using api = clientOf(cluster);
  const resource = await resourceOf(api, 'v1', 'ConfigMap');
  const create = (name: string) =>
    api.create(resource, namespace, { metadata: { name }, data: { large: 'x' } }, { signal });
  await create('a');
  const heard: KubeObject[] = [];
  const handler = {
    item: (o: KubeObject) => void heard.push(o),
    event: (_type: string, o: KubeObject) => void heard.push(o),
  };
  const fieldSelector = 'metadata.name!=kube-root-ca.crt';
  await using watched = watch(api, { resource, namespace, fieldSelector, metadataOnly: true }, { handler });
  await watched.reflector.synced;
  await create('b');
  await until(() => heard.length === 2);
  for (const object of heard) {
    assert.deepEqual([object.apiVersion, object.kind, object['data']], ['v1', 'ConfigMap', undefined]);
    assert.ok(object.metadata.managedFields);
  }
});

test('a real server: after a reset it goes on from where it was, without a list', async () => {
  const cluster = await sharedCluster();
  const namespace = await freshNamespace(cluster, 'reset');
  await using direct = clientOf(cluster);
  await using proxy = await tcpProxy(cluster.url);
  const verbs: string[] = [];
  await using api = clientOf(cluster, { url: proxy.url, observer: ({ verb }) => verbs.push(verb) });
  const resource = await resourceOf(direct, 'v1', 'ConfigMap');
  await using watched = watch(api, { resource, namespace });
  await watched.reflector.synced;
  await until(() => verbs.includes('watch'));
  proxy.reset();
  await direct.create(resource, namespace, configMapIn(namespace, 'after'), { signal });
  await until(() => watched.names.has('after'));
  assert.equal(verbs.filter((verb) => verb === 'list').length, 1);
  assert.equal(watched.problems[0]?.code, 'ApiUnreachable');
  assert.equal(watched.reflector.lastError, undefined);
});

test('a real server: a connection that went silent is replaced, and nothing is missed', async () => {
  const cluster = await sharedCluster();
  const namespace = await freshNamespace(cluster, 'silent');
  await using direct = clientOf(cluster);
  await using proxy = await tcpProxy(cluster.url);
  await using api = clientOf(cluster, { url: proxy.url });
  const resource = await resourceOf(direct, 'v1', 'ConfigMap');
  const timing = { ...QUICK, watchMinMs: 300, watchMaxMs: 300, graceMs: 100 };
  await using watched = watch(api, { resource, namespace }, { timing });
  await watched.reflector.synced;
  await until(() => proxy.open >= 2);
  proxy.freeze();
  await direct.create(resource, namespace, configMapIn(namespace, 'unheard'), { signal });
  await until(() => watched.problems.some(({ code }) => code === 'ApiTimeout'));
  proxy.thaw();
  proxy.reset();
  await until(() => watched.names.has('unheard'));
});

test('a real server: it survives a restart of the API server', async () => {
  await using cluster = await startCluster({ controllers: false });
  await using api = clientOf(cluster);
  const resource = await resourceOf(api, 'v1', 'ConfigMap');
  await using watched = watch(api, { resource, namespace: 'default' });
  await watched.reflector.synced;
  await cluster.restartApiServer();
  await api.create(resource, 'default', configMapIn('default', 'after'), { signal });
  await until(() => watched.names.has('after'));
  assert.ok(watched.problems.length > 0);
});

function configMapIn(namespace: string, name: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } };
}

test('410 as a status and as an event: listed again, and what vanished is dropped', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a', 'b'], '1'), (r) => sendList(r, ['b'], '5'), (r) => sendList(r, ['b', 'c'], '9')],
    [
      (r) => sendStatus(r, 410, 'Expired'),
      (r) => beginWatch(r)('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
      silent,
    ],
  );
  await using watched = watch(fake.api);
  await until(() => watchQueries(fake.requests).length === 3);
  assert.deepEqual(watched.log, ['listed a,b @1', 'listed b @5', 'listed b,c @9']);
  assert.deepEqual([...watched.names], ['b', 'c']);
  const versions = watchQueries(fake.requests).map(({ query }) => query.get('resourceVersion'));
  assert.deepEqual(versions, ['1', '5', '9']);
  assert.deepEqual(
    watched.problems.map(({ code }) => code),
    ['ApiExpired', 'ApiExpired'],
  );
});

test('a version that the server does not know yet: listed again', async () => {
  const details = { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] };
  const tooLarge = { kind: 'Status', code: 504, reason: 'Timeout', message: 'Too large', details };
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '900'), (r) => sendList(r, ['a'], '5')],
    [(r) => beginWatch(r)('ERROR', tooLarge), silent],
  );
  await using watched = watch(fake.api);
  await until(() => watched.log.length === 2);
  assert.equal(watched.log[1], 'listed a @5');
});

test('a 410 in the middle of a paged list starts the list again', async () => {
  await using fake = await scripted(
    [
      (r) => sendList(r, ['a'], '1', { continue: 'next' }),
      (r) => sendStatus(r, 410, 'Expired'),
      (r) => sendList(r, ['b'], '2'),
    ],
    [silent],
  );
  await using watched = watch(fake.api);
  await watched.reflector.synced;
  assert.deepEqual(watched.log, ['listed b @2']);
  assert.equal(fake.requests[1]?.query.get('continue'), 'next');
  assert.equal(fake.requests[2]?.query.get('continue'), null);
});

test('what is listed is asked for at once, and handed on when what it waits for has settled', async () => {
  await using fake = await scripted([(r) => sendList(r, ['a'], '1')], [silent]);
  const { promise, resolve } = Promise.withResolvers<void>();
  const items: string[] = [];
  const handler = { item: ({ metadata }: KubeObject) => void items.push(metadata.name) };
  await using watched = watch(fake.api, { resource: CONFIG_MAPS, after: promise }, { handler });
  await until(() => fake.requests.length === 1);
  // A list that has to wait for nothing is through by then.
  await using other = watch(fake.api);
  await other.reflector.synced;
  assert.deepEqual(items, []);
  resolve();
  await watched.reflector.synced;
  assert.deepEqual(items, ['a']);
});

test('what is listed is not handed on when the reflector was stopped while it waited', async () => {
  await using fake = await scripted([(r) => sendList(r, ['a'], '1')], [silent]);
  const { promise, resolve } = Promise.withResolvers<void>();
  const items: string[] = [];
  const handler = { item: ({ metadata }: KubeObject) => void items.push(metadata.name) };
  const watched = watch(fake.api, { resource: CONFIG_MAPS, after: promise }, { handler });
  await until(() => fake.requests.length === 1);
  await using other = watch(fake.api);
  await other.reflector.synced;
  const stopped = watched.stop();
  resolve();
  await stopped;
  assert.deepEqual(items, []);
});

for (const [status, reason] of [
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
] as const) {
  test(`${status} to the list and then to the watch is told, and tried again`, async () => {
    await using fake = await scripted(
      [(r) => sendStatus(r, status, reason), (r) => sendList(r, ['a'], '1')],
      [(r) => sendStatus(r, status, reason), (r) => beginWatch(r)('ADDED', configMap('b', '2'))],
    );
    await using watched = watch(fake.api);
    await until(() => watched.names.has('b'));
    assert.deepEqual(
      watched.problems.map((problem) => problem.status),
      [status, status],
    );
    // Only after a failure of its own health is the old version still good.
    assert.equal(watched.log.filter((line) => line.startsWith('listed')).length, status >= 500 ? 1 : 2);
    assert.equal(watched.reflector.lastError, undefined);
  });
}

test('429 to a watch waits as long as it is told', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '1')],
    [(r) => void r.writeHead(429, { 'retry-after': '1' }).end(), (r) => beginWatch(r)('ADDED', configMap('b', '2'))],
  );
  await using watched = watch(fake.api);
  const [refused] = await until(() => watched.problems.length > 0 && watched.problems);
  assert.equal(refused?.retryAfterMs, 1_000);
  await until(() => watched.names.has('b'));
  assert.equal(watchQueries(fake.requests).length, 2);
});

test('the version comes from events and bookmarks', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '1')],
    [
      (r) => {
        const send = beginWatch(r);
        send('ADDED', configMap('b', '4'));
        send('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion: '8' } });
        r.end();
      },
      (r) => {
        beginWatch(r)('MODIFIED', configMap('b', '9'));
        setImmediate(() => r.socket?.resetAndDestroy());
      },
      silent,
    ],
  );
  await using watched = watch(fake.api);
  await until(() => watchQueries(fake.requests).length === 3);
  const versions = watchQueries(fake.requests).map(({ query }) => query.get('resourceVersion'));
  assert.deepEqual(versions, ['1', '8', '9']);
  assert.deepEqual(watched.log, ['listed a @1', 'ADDED b', 'MODIFIED b']);
  const [first] = watchQueries(fake.requests);
  assert.equal(first?.query.get('allowWatchBookmarks'), 'true');
  const seconds = Number(first?.query.get('timeoutSeconds'));
  assert.ok(seconds >= 300 && seconds <= 600);
});

test('a server that sends bookmarks and then falls silent is left long before the watch would end', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '1')],
    [(r) => beginWatch(r)('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion: '8' } }), silent],
  );
  await using watched = watch(fake.api, undefined, { timing: { ...QUICK, silenceMs: 30 } });
  // The second one never sends a byte.
  await until(() => watchQueries(fake.requests).length >= 3);
  assert.equal(watchQueries(fake.requests)[2]?.query.get('resourceVersion'), '8');
  assert.ok(watched.problems.every(({ code }) => code === 'ApiTimeout'));
});

test('a server that sends one event and closes is not stormed', async () => {
  let version = 1;
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '1')],
    [
      (r) => {
        beginWatch(r)('MODIFIED', configMap('a', String((version += 1))));
        r.end();
      },
    ],
  );
  const timing = { backoffFirstMs: 600_000, backoffCapMs: 600_000, shortLivedMs: 600_000 };
  await using watched = watch(fake.api, undefined, { timing });
  await until(() => watched.problems.length === 1);
  // Time enough for a second watch, were it not for the backoff.
  for (let index = 0; index < 20; index += 1) await fake.transport.request('GET', '/list', { signal });
  assert.equal(watchQueries(fake.requests).length, 1);
  assert.deepEqual(watched.log, ['listed a @1', 'MODIFIED a']);
});

test('watches that are accepted and end without a word, again and again: listed again', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '1'), (r) => sendList(r, ['b'], '7')],
    [
      ...Array.from({ length: 5 }, () => (r: ServerResponse) => {
        beginWatch(r);
        r.destroy();
      }),
      (r) => beginWatch(r)('ADDED', configMap('c', '8')),
    ],
  );
  const timing = { backoffFirstMs: 1, backoffCapMs: 1, shortLivedMs: 600_000 };
  await using watched = watch(fake.api, undefined, { timing });
  await until(() => watched.log.includes('ADDED c'));
  assert.deepEqual(watched.log, ['listed a @1', 'listed b @7', 'ADDED c']);
});

test('a handler that throws hears the next event', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a', 'b'], '1')],
    [
      (r) => {
        const send = beginWatch(r);
        send('ADDED', configMap('c', '2'));
        send('ADDED', configMap('d', '3'));
      },
    ],
  );
  const heard: string[] = [];
  const shout = (name: string) => {
    heard.push(name);
    throw new Error(`handler at ${name}`);
  };
  const handler: Partial<ReflectorHandler> = {
    listStarted: () => void shout('start'),
    item: ({ metadata }) => void shout(metadata.name),
    listDone: () => void shout('done'),
    event: (_type, { metadata }) => void shout(metadata.name),
    problem: ({ code }) => void shout(code),
  };
  await using _ = watch(fake.api, undefined, { handler });
  await until(() => heard.includes('d'));
  const names = heard.filter((name) => name !== 'WatchHandlerFailed');
  assert.deepEqual(names, ['start', 'a', 'b', 'done', 'c', 'd']);
  assert.equal(heard.length, 12);
});

test('lines that are no events, and events that are too large, end only that watch', async () => {
  await using fake = await scripted(
    [(r) => sendList(r, ['a'], '1')],
    [
      (r) => void r.writeHead(200).end('<html>a proxy</html>\n'),
      (r) => void r.writeHead(200).end(Buffer.alloc(9 * 1024 * 1024, 'x')),
      (r) => beginWatch(r)('ADDED', configMap('b', '2')),
    ],
  );
  await using watched = watch(fake.api);
  await until(() => watched.names.has('b'));
  assert.deepEqual(
    watched.problems.map(({ code }) => code),
    ['ApiUnexpectedAnswer', 'ApiAnswerTooLarge'],
  );
});

type Answer = (response: ServerResponse) => void;
const states: [what: string, requests: number, lists: Answer[], watches: Answer[]][] = [
  ['while the list is on its way', 1, [() => {}], [silent]],
  ['while the watch connects', 2, [(r) => sendList(r, [], '1')], [() => {}]],
  ['while it watches', 2, [(r) => sendList(r, [], '1')], [silent]],
  ['while it backs off', 1, [(r) => sendStatus(r, 403, 'Forbidden')], [silent]],
];
for (const [what, requests, lists, watches] of states) {
  test(`stop ${what} stops, and tells nobody of a problem`, async () => {
    await using fake = await scripted(lists, watches);
    const timing = { ...QUICK, backoffFirstMs: 600_000, backoffCapMs: 600_000 };
    await using watched = watch(fake.api, undefined, { timing });
    const expected = what.includes('backs off') ? 1 : 0;
    await until(() => fake.requests.length === requests && watched.problems.length === expected);
    await watched.stop();
    assert.equal(watched.problems.length, expected);
    assert.equal(fake.requests.length, requests);
    if (!watched.reflector.hasSynced) await assert.rejects(watched.reflector.synced, /stopped/);
  });
}

test('an event is handled in the tick that brings its bytes', async () => {
  let send: ReturnType<typeof beginWatch> | undefined;
  await using fake = await scripted([(r) => sendList(r, [], '1')], [(r) => void (send = beginWatch(r))]);
  let ticks = -1;
  let heardAt: number | undefined;
  const { promise: heard, resolve } = Promise.withResolvers<void>();
  const handler = {
    event: () => {
      heardAt = ticks;
      resolve();
    },
  };
  await using _ = watch(fake.api, undefined, { handler });
  await until(() => send);
  // Server and client share this loop: the event needs as many turns as the sockets do, and no timer in between.
  ticks = 0;
  const count = () => {
    ticks += 1;
    if (heardAt === undefined) setImmediate(count);
  };
  send?.('ADDED', configMap('a', '2'));
  setImmediate(count);
  await heard;
  assert.ok(heardAt !== undefined && heardAt <= 5, `${heardAt} turns of the event loop`);
});

test('10,000 objects: none is kept', async () => {
  await using fake = await scripted(
    [
      (r) =>
        sendList(
          r,
          Array.from({ length: 10_000 }, (_, index) => `n${index}`),
          '1',
        ),
    ],
    [silent],
  );
  const references: WeakRef<object>[] = [];
  const handler: Partial<ReflectorHandler> = { item: (object) => void references.push(new WeakRef(object)) };
  await using watched = watch(fake.api, undefined, { handler });
  await watched.reflector.synced;
  await until(() => watchQueries(fake.requests).length === 1);
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--expose-gc');
  const { runInNewContext } = await import('node:vm');
  const collect = runInNewContext('gc') as () => void;
  await until(() => {
    collect();
    return references.every((reference) => reference.deref() === undefined);
  });
});
