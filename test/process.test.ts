// The operator as a process: endpoints, flags, signals.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { request } from 'undici';
import { Operator, World } from './operator.ts';
import { config, Team } from './team.ts';
import { until } from './until.ts';
import { freePort } from './free-port.ts';

const ENTRY = join(import.meta.dirname, '../src/main.ts');

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' };
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [ENTRY, ...args], { env })) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

let world: World;
let ports: { metrics: number; health: number };
before(async () => {
  ports = { metrics: await freePort(), health: await freePort() };
  const args = [`--metrics-address=127.0.0.1:${ports.metrics}`, `--health-address=127.0.0.1:${ports.health}`];
  world = await World.create({ args });
});
after(() => world[Symbol.asyncDispose]());

const get = async (port: number, path: string) => {
  const answer = await request(`http://127.0.0.1:${port}${path}`);
  return { status: answer.statusCode, body: await answer.body.text() };
};

it('starts without the undici inside Node, which an import of node:http would load', async () => {
  const script = `process.argv.push('', '--help');
    process.on('exit', () => console.error(process.moduleLoadList.filter((name) => name.includes('undici'))));
    await import(${JSON.stringify(ENTRY)});`;
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(stderr.trim(), '[]');
});

describe('flags', () => {
  it('are explained by --help', async () => {
    const { code, stdout } = await run('--help');
    assert.equal(code, 0);
    for (const flag of ['--kubeconfig', '--leader-elect', '--default-service-account'])
      assert.ok(stdout.includes(flag));
  });

  for (const args of [
    ['--unknown'],
    ['--leader-elect=perhaps'],
    ['--concurrency=0'],
    ['--verify-interval=never'],
    ['positional'],
  ]) {
    it(`${args.join(' ')} is refused in one line`, async () => {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1);
      assert.match(stderr, /^plumbline-operator: InvalidFlag: .+\n$/);
    });
  }

  it('without a cluster or a kubeconfig it says what to do', async () => {
    const { code, stderr } = await run('--metrics-address=0', '--health-address=0');
    assert.equal(code, 1);
    assert.match(stderr, /^plumbline-operator: [A-Za-z]+: .*kubeconfig.*\n$/);
    const none = await run('--kubeconfig=/nowhere/config');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^plumbline-operator: [A-Za-z]+: .*\/nowhere\/config.*\n$/);
  });
});

describe('a running operator', () => {
  it('is alive, becomes ready, and counts what it does', async () => {
    await until(async () => (await get(ports.health, '/readyz')).status === 200);
    assert.equal((await get(ports.health, '/healthz')).status, 200);
    assert.equal((await get(ports.health, '/nothing')).status, 404);
    const team = await Team.ready(world, 'counted', { 'a.yaml': config('counted-a') });
    await world.edit('v1/configmaps/counted-a', { data: { key: 'edited' } });
    await until(async () => (await team.status()).drift?.healedCount === 1);
    const { body } = await get(ports.metrics, '/metrics');
    const labels = `source="${world.namespace}/counted"`;
    for (const wanted of [
      /plumbline_drift_detected_total\{[^}]*manager="kubectl-edit"[^}]*\} 1/,
      /plumbline_drift_heal_seconds_count 1/,
    ])
      assert.match(body, wanted);
    assert.ok(body.includes(labels) || body.includes('name="counted"'), body.slice(0, 2000));
  });

  it('ends within seconds after SIGTERM, with work under way and Git hung, and its last word is stored', async () => {
    const team = await Team.ready(world, 'last', { 'a.yaml': config('last-a') });
    world.git.fault = ({ repository }) => (repository === 'hung' ? 'hang' : 'pass');
    const hung = await world.git.createRepository('hung');
    await hung.write({ 'a.yaml': config('hung-a') });
    await world.createSource({ url: hung.url, timeout: '1h' }, 'hung');
    await until(() => world.git.requests.some(({ repository }) => repository === 'hung'));
    for (const key of ['one', 'two', 'three']) {
      await world.edit('v1/configmaps/last-a', { data: { key } });
      await until(() =>
        world.operator.lines.some(({ audit, fields }) => audit && JSON.stringify(fields ?? '').includes(`"${key}"`)),
      );
    }
    const began = performance.now();
    assert.equal(await world.operator.stop(), 0);
    assert.ok(performance.now() - began < 15_000);
    assert.equal((await team.status()).drift?.healedCount, 3);
    assert.equal(world.operator.lines.at(-1)?.msg, 'stopped');
    assert.equal(world.operator.stderr, '');
    world.startOperator();
    await until(async () => (await get(ports.health, '/readyz')).status === 200);
  });
});

describe('readiness', () => {
  for (const [what, options] of [
    ['without a way to the API server', { via: { url: 'https://127.0.0.1:9', caFile: '' } }],
    ['without the right to the lease', { token: 'of nobody' }],
  ] as const) {
    it(`a replica that stands by ${what} is not ready, and says why`, async () => {
      const port = await freePort();
      const { cluster, namespace } = world;
      const via = 'via' in options ? { via: { ...options.via, caFile: cluster.caFile } } : {};
      const args = ['--leader-elect=true', `--health-address=127.0.0.1:${port}`];
      await using operator = Operator.start(cluster, { namespace, args, ...options, ...via });
      const isTold = () => operator.lines.some(({ msg }) => msg === 'the lease could not be read or renewed');
      await until(isTold, { what: 'it has tried' });
      const { status, body } = await get(port, '/readyz');
      assert.equal(status, 503);
      assert.match(body, /^the lease cannot be read or renewed: Api\w+\n$/);
      assert.equal((await get(port, '/healthz')).status, 200);
    });
  }

  it('one that stands by and could take over is ready', async () => {
    const port = await freePort();
    const { cluster, namespace } = world;
    const lease = {
      metadata: { name: 'plumbline-operator' },
      spec: { holderIdentity: 'other', leaseDurationSeconds: 3600 },
    };
    await world.expect(201, 'POST', world.path('coordination.k8s.io/v1/leases'), { body: lease });
    const args = ['--leader-elect=true', `--health-address=127.0.0.1:${port}`];
    await using operator = Operator.start(cluster, { namespace, args });
    await until(() => operator.lines.some(({ msg }) => msg === 'another replica acts; standing by'));
    assert.deepEqual(await get(port, '/readyz'), { status: 200, body: 'ok\n' });
  });
});
