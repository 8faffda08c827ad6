// The endpoints for Prometheus and for the kubelet's probes, over real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { request } from 'undici';
import { createMetrics } from '../src/report/metrics.ts';
import { type ServerOptions, healthRoutes, metricsRoutes, parseAddress, serve } from '../src/report/server.ts';

async function start(t: TestContext, options: Partial<ServerOptions>) {
  const stop = new AbortController();
  const listening = await serve({ address: '127.0.0.1:0', routes: {}, ...options }, stop.signal);
  assert.ok(listening);
  t.after(async () => {
    stop.abort();
    await listening.closed;
  });
  return { ...listening, stop, url: `http://127.0.0.1:${listening.port}` };
}

async function ask(url: string, method: 'GET' | 'HEAD' | 'POST' = 'GET') {
  const { statusCode, headers, body } = await request(url, { method, reset: true });
  return { status: statusCode, headers, body: await body.text() };
}

/** Sends bytes and gives back everything until the server closes the connection, in whatever way. */
async function talk(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let answer = '';
  socket.on('data', (text: string) => (answer += text)).on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

describe('the endpoints', () => {
  test('/metrics gives what the registry holds, as Prometheus reads it', async (t) => {
    const metrics = createMetrics({ queueDepth: () => 7 });
    const { url } = await start(t, { routes: metricsRoutes(metrics) });
    const { status, headers, body } = await ask(`${url}/metrics?name[]=x`);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(body, /^plumbline_queue_depth 7$/m);
  });

  test('/readyz follows its check and says why not; /healthz is a check of its own', async (t) => {
    let ready: true | string = 'the watch of GitOpsSources has not started';
    let live: true | string = true;
    const { url } = await start(t, { routes: healthRoutes({ live: () => live, ready: () => ready }) });
    const before = await ask(`${url}/readyz`);
    assert.deepEqual([before.status, before.body], [503, 'the watch of GitOpsSources has not started\n']);
    assert.equal((await ask(`${url}/healthz`)).status, 200);
    ready = true;
    live = 'the lease was not renewed';
    assert.deepEqual([(await ask(`${url}/readyz`)).status, (await ask(`${url}/healthz`)).status], [200, 503]);
  });

  test('HEAD gives the headers alone; other methods and paths are refused', async (t) => {
    const { url } = await start(t, { routes: healthRoutes({ ready: () => true }) });
    const head = await ask(`${url}/readyz`, 'HEAD');
    assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '3', '']);
    const post = await ask(`${url}/readyz`, 'POST');
    assert.deepEqual([post.status, post.headers['allow']], [405, 'GET, HEAD']);
    for (const path of ['/', '/metrics', '/readyz/', '/toString', '/__proto__']) {
      assert.equal((await ask(url + path)).status, 404, path);
    }
  });

  test('a route that throws gives a bare 500, and the error only to us', async (t) => {
    const errors: unknown[] = [];
    const fault = new Error('password=hunter2');
    const { url } = await start(t, {
      routes: { '/metrics': () => Promise.reject(fault) },
      onError: (error) => errors.push(error),
    });
    const { status, body } = await ask(`${url}/metrics`);
    assert.deepEqual([status, body, errors], [500, 'internal error\n', [fault]]);
  });

  test('a client that never ends its request is cut off', async (t) => {
    const { port } = await start(t, { routes: healthRoutes({ ready: () => true }), timeoutMs: 50 });
    assert.match(await talk(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '), /^(HTTP\/1\.1 408 |$)/);
  });

  test('headers beyond 8 KiB are refused', async (t) => {
    const { port } = await start(t, { routes: healthRoutes({ ready: () => true }) });
    assert.match(
      await talk(port, `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(9000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    );
  });

  test('an abort lets the answer under way finish and closes idle connections', async (t) => {
    const asked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { url, port, stop, closed } = await start(t, {
      routes: {
        '/metrics': async () => {
          asked.resolve();
          await release.promise;
          return { status: 200, body: 'all\n' };
        },
      },
    });
    const idle = connect(port, '127.0.0.1');
    await once(idle, 'connect');
    const answer = ask(`${url}/metrics`);
    await asked.promise;
    stop.abort();
    release.resolve();
    assert.equal((await answer).body, 'all\n');
    await once(idle, 'close');
    await closed;
    await assert.rejects(ask(url), { code: 'ECONNREFUSED' });
  });
});

describe('listen addresses', () => {
  const cases: [address: string, parsed: { host?: string; port: number } | undefined][] = [
    [':8080', { port: 8080 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['0', undefined],
  ];
  for (const [address, parsed] of cases) {
    test(address, () => assert.deepEqual(parseAddress(address), parsed));
  }
  for (const address of ['', '8080', ':', ':65536', ':-1', '::1:8080', 'a b:80', 'http://x:80', ':80/']) {
    test(`${JSON.stringify(address)} is refused`, () => {
      assert.throws(() => parseAddress(address), { code: 'InvalidAddress' });
    });
  }

  test('0 switches the endpoint off', async () => {
    assert.equal(await serve({ address: '0', routes: {} }, AbortSignal.abort()), undefined);
  });

  test('a port that is taken is an error that names the address', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    await assert.rejects(serve({ address, routes: {} }, new AbortController().signal), {
      code: 'ListenFailed',
      message: `cannot listen on ${address} (EADDRINUSE)`,
    });
  });
});
