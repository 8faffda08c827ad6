// What a real API server does not do on demand: refusals, resets, silence, lies.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fixedConfig } from '../src/kube/auth.ts';
import { Transport } from '../src/kube/transport.ts';
import { AdaptiveLimiter } from '../src/kube/limiter.ts';
import { CONFIG_MAPS, configMap, fakeApi, sendJson, sendStatus } from './kube-fake.ts';
import { until } from './until.ts';

const signal = new AbortController().signal;
const apply = { signal, fieldManager: 'test' };

test('429 with Retry-After is waited for, also for a create, and slows the writes down', async () => {
  await using fake = await fakeApi((_request, response, index) => {
    if (index === 0) sendJson(response, 429, {}, { 'retry-after': '1' });
    else sendJson(response, 201, configMap('a'));
  });
  const startedAt = performance.now();
  const written = await fake.api.create(CONFIG_MAPS, 'default', configMap('a'), { signal });
  assert.equal(written.created, true);
  assert.equal(fake.requests.length, 2);
  assert.ok(performance.now() - startedAt >= 950);
  assert.equal(fake.transport.limiter.limit, 4);
});

test('a Retry-After beyond the deadline is not waited for, and the caller learns it', async () => {
  await using fake = await fakeApi((_request, response) => sendJson(response, 429, {}, { 'retry-after': '3600' }));
  await assert.rejects(fake.api.get(CONFIG_MAPS, 'default', 'a', { signal }), {
    code: 'ApiBusy',
    retryAfterMs: 3_600_000,
  });
  assert.equal(fake.requests.length, 1);
});

const idempotence: [
  what: string,
  requests: number,
  call: (api: Awaited<ReturnType<typeof fakeApi>>) => Promise<unknown>,
][] = [
  ['a GET', 3, ({ api }) => api.get(CONFIG_MAPS, 'default', 'a', { signal })],
  ['an apply', 3, ({ api }) => api.apply(CONFIG_MAPS, 'default', 'a', '{}', apply)],
  ['a delete with a uid', 3, ({ api }) => api.delete(CONFIG_MAPS, 'default', 'a', { signal, uid: 'u' })],
  ['a delete without a uid', 1, ({ api }) => api.delete(CONFIG_MAPS, 'default', 'a', { signal })],
  ['a create', 1, ({ api }) => api.create(CONFIG_MAPS, 'default', configMap('a'), { signal })],
  ['a merge patch', 1, ({ api }) => api.mergePatch(CONFIG_MAPS, 'default', 'a', {}, { signal })],
  [
    'an apply with retry: false',
    1,
    ({ api }) => api.apply(CONFIG_MAPS, 'default', 'a', '{}', { ...apply, retry: false }),
  ],
];
for (const [what, requests, call] of idempotence) {
  test(`${what} is sent ${requests === 1 ? 'once' : 'again'} after a reset and a 503`, async () => {
    await using fake = await fakeApi((_request, response, index) => {
      if (index === 0) response.socket?.resetAndDestroy();
      else if (index === 1) sendStatus(response, 503, 'ServiceUnavailable');
      else sendJson(response, 200, configMap('a'));
    });
    if (requests === 1) await assert.rejects(call(fake), { code: 'ApiUnreachable' });
    else await call(fake);
    assert.equal(fake.requests.length, requests);
  });
}

test('a server that comes back is found again, even by a create', async () => {
  await using fake = await fakeApi((_request, response) => sendJson(response, 201, configMap('a')));
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  let attempts = 0;
  const back = createServer((socket) => {
    const to = new URL(fake.url);
    const out = connect(Number(to.port), to.hostname);
    socket.pipe(out).pipe(socket);
    for (const end of [socket, out]) end.on('error', () => {});
  });
  await using transport = new Transport(fixedConfig(`http://127.0.0.1:${port}`), {
    observer: ({ status }) => {
      assert.equal(status, attempts === 0 ? 0 : status);
      attempts += 1;
      if (attempts === 2) back.listen(port, '127.0.0.1');
    },
  });
  const answer = await transport.request('POST', '/x', { signal, body: '{}' });
  assert.equal(answer.status, 201);
  assert.ok(attempts >= 3);
  await transport.close();
  back.close();
});

test('a server that accepts and never answers: the deadline ends the whole call', async () => {
  await using fake = await fakeApi(() => {});
  // Time enough to arrive on a machine that is busy with other things.
  const call = fake.transport.request('GET', '/version', { signal, timeoutMs: 1_500 });
  await assert.rejects(call, { code: 'ApiTimeout', message: /GET \/version in time/ });
  assert.equal(fake.requests.length, 1);
});

// The limit tells our deadline from the 10 s that a connection may take.
test(
  'a server that accepts and never shakes hands: deadline and abort work while connecting',
  { timeout: 8_000 },
  async () => {
    const hole = createServer(() => {});
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    await using transport = new Transport(fixedConfig(`https://127.0.0.1:${(hole.address() as AddressInfo).port}`));
    await assert.rejects(transport.request('GET', '/version', { signal, timeoutMs: 50 }), { code: 'ApiTimeout' });
    const abort = new AbortController();
    const calls = [
      transport.request('GET', '/version', { signal: abort.signal }),
      transport.stream('/api/v1/pods', { signal: abort.signal, onChunk: () => {} }),
    ];
    setImmediate(() => abort.abort(new Error('enough')));
    for (const call of calls) await assert.rejects(call, /enough/);
    hole.close();
  },
);

test('a body that never ends falls under the same deadline', async () => {
  await using fake = await fakeApi((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{');
  });
  await assert.rejects(fake.transport.request('GET', '/version', { signal, timeoutMs: 100 }), { code: 'ApiTimeout' });
});

test('retries end with the deadline, with the last error', async () => {
  await using fake = await fakeApi((_request, response) => sendStatus(response, 503, 'ServiceUnavailable'));
  // It waits 50, 100, 200, 400 and 800 ms; 1,600 more do not fit. A slow machine has as much for the requests themselves: a
  // deadline that ends one of them ends it as a timeout.
  const call = fake.transport.request('GET', '/version', { signal, timeoutMs: 3_100 });
  await assert.rejects(call, { code: 'ApiServerError', status: 503 });
  assert.ok(fake.requests.length >= 3);
});

test('a caller that gives up gets its own reason, while waiting for a turn, an answer or a retry', async () => {
  const limiter = new AdaptiveLimiter({ start: 1, max: 1 });
  await using fake = await fakeApi(
    ({ path }, response) => {
      if (path === '/busy') sendJson(response, 429, {}, { 'retry-after': '20' });
    },
    { limiter },
  );
  const abort = new AbortController();
  const calls = [
    fake.transport.request('POST', '/silent', { signal: abort.signal }),
    fake.transport.request('POST', '/queued', { signal: abort.signal }),
    fake.transport.request('GET', '/busy', { signal: abort.signal }),
  ];
  await until(() => fake.requests.length === 2);
  abort.abort(new Error('shutting down'));
  await Promise.all(calls.map((call) => assert.rejects(call, /shutting down/)));
  await assert.rejects(fake.transport.request('GET', '/late', { signal: abort.signal }), /shutting down/);
  assert.deepEqual(fake.requests.map(({ path }) => path).sort(), ['/busy', '/silent']);
  assert.equal(limiter.inFlight, 0);
});

test('an urgent write does not queue behind the others', async () => {
  await using fake = await fakeApi(
    ({ path }, response) => {
      if (path === '/urgent') sendJson(response, 200, {});
    },
    { limiter: new AdaptiveLimiter({ start: 1, max: 1 }) },
  );
  const abort = new AbortController();
  const calls = ['/a', '/b'].map((path) => fake.transport.request('POST', path, { signal: abort.signal }));
  await fake.transport.request('PATCH', '/urgent', { signal, urgent: true });
  abort.abort(new Error('enough'));
  await Promise.all(calls.map((call) => assert.rejects(call, /enough/)));
});

test('a write that waits for its connection is not sent when the lease is lost meanwhile', async () => {
  let leading = true;
  await using fake = await fakeApi((_request, response) => sendJson(response, 200, configMap('a')), {
    mayWrite: () => leading,
  });
  const write = fake.api.apply(CONFIG_MAPS, 'default', 'a', '{}', apply);
  const lost = assert.rejects(write, { code: 'LeaseLost' });
  // Before anything can have come from the network.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  leading = false;
  await lost;
  await fake.api.get(CONFIG_MAPS, 'default', 'a', { signal });
  assert.deepEqual(
    fake.requests.map(({ method }) => method),
    ['GET'],
  );
});

test('a write that is under way when its caller gives up still brings its answer', async () => {
  const abort = new AbortController();
  await using fake = await fakeApi((_request, response) => {
    abort.abort(new Error('suspended'));
    sendJson(response, 201, { stored: true });
  });
  const { body } = await fake.transport.request('PATCH', '/object', { signal: abort.signal });
  assert.deepEqual(body, { stored: true });
});

test('the body of an error page is neither needed nor shown', async () => {
  const page = '<html>internal address 10.1.2.3</html>';
  await using fake = await fakeApi((_request, response) => {
    response.writeHead(403, { 'content-type': 'text/html' }).end(page);
  });
  await assert.rejects(fake.transport.request('GET', '/version', { signal }), {
    code: 'ApiForbidden',
    message: 'the API server answered 403 Forbidden to GET /version',
  });
});

test('an answer over the cap is refused; a list falls back to smaller pages', async () => {
  const items = Array.from({ length: 60 }, (_, index) => ({ metadata: { name: `n${index}`, big: 'x'.repeat(1_000) } }));
  await using fake = await fakeApi(
    ({ query }, response) => {
      const from = Number(query.get('continue') ?? 0);
      const end = from + Number(query.get('limit'));
      const next = end < items.length ? { continue: String(end) } : {};
      sendJson(response, 200, {
        kind: 'List',
        metadata: { resourceVersion: '7', ...next },
        items: items.slice(from, end),
      });
    },
    { maxResponseBytes: 30_000 },
  );
  const names: string[] = [];
  for await (const page of fake.api.list(CONFIG_MAPS, { signal, limit: 100 })) {
    assert.equal(page.resourceVersion, '7');
    for (const { kind, apiVersion, metadata } of page.items) names.push(`${apiVersion} ${kind} ${metadata.name}`);
  }
  assert.deepEqual(
    names,
    items.map(({ metadata }) => `v1 ConfigMap ${metadata.name}`),
  );
  const whole = fake.transport.request('GET', '/api/v1/configmaps', { signal, query: { limit: 100 } });
  await assert.rejects(whole, { code: 'ApiAnswerTooLarge' });
});

test('an empty user to act as sends nothing at all', async () => {
  await using fake = await fakeApi((_request, response) => sendJson(response, 200, configMap('a')));
  const options = { ...apply, impersonate: { username: '' } };
  await assert.rejects(fake.api.apply(CONFIG_MAPS, 'default', 'a', '{}', options), { code: 'InvalidImpersonation' });
  await assert.rejects(fake.api.get(CONFIG_MAPS, 'default', 'a', options), { code: 'InvalidImpersonation' });
  await assert.rejects(fake.api.list(CONFIG_MAPS, options).next(), { code: 'InvalidImpersonation' });
  assert.equal(fake.requests.length, 0);
  await fake.api.get(CONFIG_MAPS, 'default', 'a', { signal, impersonate: { username: 'u', groups: ['g', 'h'] } });
  assert.equal(fake.requests[0]?.headers['impersonate-user'], 'u');
  assert.equal(fake.requests[0]?.headers['impersonate-group'], 'g, h');
});

test('every request that is sent is counted, by verb, resource and status', async () => {
  const seen: string[] = [];
  await using fake = await fakeApi(
    (_request, response, index) => {
      if (index === 0) sendStatus(response, 503, 'ServiceUnavailable');
      else sendJson(response, 200, configMap('a'));
    },
    { observer: ({ verb, resource, status }) => seen.push(`${verb} ${resource} ${status}`) },
  );
  await fake.api.apply(CONFIG_MAPS, 'default', 'a', '{}', apply);
  await fake.api.get(CONFIG_MAPS, 'default', 'a', { signal });
  assert.deepEqual(seen, ['apply configmaps 503', 'apply configmaps 200', 'get configmaps 200']);
});

test('a server behind a path keeps it', async () => {
  await using fake = await fakeApi((_request, response) => sendJson(response, 200, {}));
  await using transport = new Transport(fixedConfig(`${fake.url}/k8s/clusters/c-1/`));
  await transport.request('GET', '/version', { signal, query: { a: 'b=c d', none: undefined } });
  assert.equal(fake.requests[0]?.path, '/k8s/clusters/c-1/version');
  assert.equal(fake.requests[0]?.query.get('a'), 'b=c d');
});

test('an address that is no URL is told as such', () => {
  assert.throws(() => new Transport(fixedConfig('api.example.com')), { code: 'ClusterConfigMissing' });
});
