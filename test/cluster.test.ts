import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { readAudit } from './audit.ts';
import {
  buildCluster,
  freshNamespace,
  joinCluster,
  serviceAccountToken,
  sharedCluster,
  startCluster,
} from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { clusterRequest } from './cluster-request.ts';
import { ApiProxy } from './faults/proxy.ts';
import { until } from './until.ts';

interface Workload {
  status: { conditions?: { type: string; status: string }[]; readyReplicas?: number; numberReady?: number };
}

function podTemplate(image: string, restartPolicy = 'Always') {
  return { metadata: { labels: { app: image } }, spec: { restartPolicy, containers: [{ name: 'main', image }] } };
}

describe('the cluster of the run', () => {
  test('serves its OpenAPI document as protobuf, as kubectl asks for it', async () => {
    const cluster = await sharedCluster();
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const answer = await cluster.request<string>('GET', '/openapi/v2', { headers: { accept } });
    assert.equal(answer.status, 200);
    assert.ok(answer.body.length > 1_000_000);
  });

  test('runs workloads: they get ready, unless their image is bad', async () => {
    const cluster = await sharedCluster();
    const apps = `/apis/apps/v1/namespaces/${await freshNamespace(cluster)}`;
    const create = async (kind: string, path: string, image: string, more: object) => {
      const selector = { matchLabels: { app: image } };
      const body = { metadata: { name: image }, spec: { selector, template: podTemplate(image), ...more } };
      const created = await cluster.request('POST', `${path}/${kind}`, { body });
      assert.equal(created.status, 201, JSON.stringify(created.body));
      return async () => (await cluster.request<Workload>('GET', `${path}/${kind}/${image}`)).body.status;
    };
    const bad = await create('deployments', apps, 'bad-image', {});
    const good = await create('deployments', apps, 'web', { replicas: 3 });
    const stateful = await create('statefulsets', apps, 'store', { serviceName: 'store', replicas: 2 });
    const daemon = await create('daemonsets', apps, 'agent', {});
    const job = await create('jobs', apps.replace('/apps/', '/batch/'), 'migrate', {
      selector: undefined,
      template: podTemplate('migrate', 'Never'),
    });
    await until(async () => (await good()).conditions?.some((c) => c.type === 'Available' && c.status === 'True'));
    await until(async () => (await stateful()).readyReplicas === 2);
    await until(async () => (await daemon()).numberReady === 1);
    await until(async () => (await job()).conditions?.some((c) => c.type === 'Complete' && c.status === 'True'));
    await until(async () => (await bad()).conditions?.some((c) => c.type === 'Available' && c.status === 'False'));
    assert.equal((await bad()).readyReplicas ?? 0, 0);
  });

  test('knows users with fewer rights, and service accounts', async () => {
    const cluster = await sharedCluster();
    const namespace = await freshNamespace(cluster);
    const status = async (token: string) =>
      (await cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps`, { token })).status;
    assert.equal(await status(cluster.tokens.driver), 200);
    assert.equal(await status(cluster.tokens.restricted), 403);
    assert.equal(await status('somebody'), 401);

    await until(
      async () =>
        (await cluster.request('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)).status === 200,
    );
    const token = await serviceAccountToken(cluster, namespace, 'default');
    assert.equal(await status(token), 403);
    // `view` is filled by aggregation, which a controller does.
    const binding = {
      metadata: { name: 'view' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
    };
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`;
    assert.equal((await cluster.request('POST', path, { body: binding })).status, 201);
    await until(async () => (await status(token)) === 200);
  });

  test('gives a namespace also when the connection breaks before it has said so', async () => {
    const cluster = await sharedCluster();
    await using proxy = await ApiProxy.start(cluster);
    proxy.arm({ on: ['write'], after: 0, times: 1, fault: { kind: 'reset', acted: true } });
    const { url, caFile } = proxy;
    const request = clusterRequest({ url, caFile, token: cluster.tokens.admin }, () => '');
    const namespace = await freshNamespace({ ...cluster, request });
    assert.equal((await cluster.request('GET', `/api/v1/namespaces/${namespace}`)).status, 200);
    assert.equal(proxy.met.get('reset after the write'), 1);
  });

  test('belongs to all: another process can use it, but not break or stop it', async () => {
    const cluster = joinCluster((await sharedCluster()).dir);
    assert.equal((await cluster.request('GET', '/version')).status, 200);
    await assert.rejects(cluster.restartApiServer(), /serves the whole test run/);
    await assert.rejects(cluster.stop(), /serves the whole test run/);
    assert.throws(() => cluster.freezeApiServer(), /serves the whole test run/);
  });
});

describe('a cluster of its own', () => {
  let cluster: Cluster;
  before(async () => (cluster = await startCluster({ audit: true, users: { reader: ['readers'] } })));
  after(() => cluster.stop());

  test('comes back after a crash of its API server, with the same data at the same place', async () => {
    const namespace = await freshNamespace(cluster);
    const first = cluster.apiServerPid;
    await cluster.stopApiServer();
    await assert.rejects(cluster.request('GET', '/version'), { code: 'ECONNREFUSED' });
    const thief = createServer().listen(Number(new URL(cluster.url).port), '127.0.0.1');
    await assert.rejects(once(thief, 'listening'), { code: 'EADDRINUSE' }, 'the port stays reserved');
    await cluster.startApiServer();
    assert.notEqual(cluster.apiServerPid, first);
    assert.equal((await cluster.request('GET', `/api/v1/namespaces/${namespace}`)).status, 200);
    await cluster.restartApiServer();
    assert.equal((await cluster.request('GET', `/api/v1/namespaces/${namespace}`)).status, 200);
  });

  test('can hang', async () => {
    cluster.freezeApiServer();
    const late = cluster.request('GET', '/version');
    const first = await Promise.race([
      late.then(() => 'answer'),
      cluster.request('GET', '/version', { signal: AbortSignal.timeout(300) }).catch(() => 'silence'),
    ]);
    cluster.thawApiServer();
    assert.equal(first, 'silence');
    assert.equal((await late).status, 200);
  });

  test('logs every request of every user', async () => {
    const token = cluster.tokens['reader']!;
    assert.equal((await cluster.request('GET', '/api/v1/namespaces/default/secrets/none', { token })).status, 403);
    const events = readAudit(cluster, 'reader');
    assert.deepEqual(
      events.map(({ verb, requestURI, responseStatus }) => [verb, requestURI, responseStatus?.code]),
      [['get', '/api/v1/namespaces/default/secrets/none', 403]],
    );
    assert.ok(readAudit(cluster).length > 10);
  });

  test('rewrites by MutatingAdmissionPolicy, refuses by ValidatingAdmissionPolicy', async () => {
    const namespace = await freshNamespace(cluster);
    const admission = '/apis/admissionregistration.k8s.io/v1';
    const matchConstraints = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    };
    const mutation = {
      patchType: 'ApplyConfiguration',
      applyConfiguration: { expression: 'Object{data: {"rewritten": "yes"}}' },
    };
    const validation = { expression: '!("forbidden" in object.data)', message: 'not that one' };
    const post = async (path: string, body: unknown) => {
      const answer = await cluster.request('POST', path, { body });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
    };
    const metadata = { name: 'smoke' };
    await post(`${admission}/mutatingadmissionpolicies`, {
      metadata,
      spec: { matchConstraints, mutations: [mutation], reinvocationPolicy: 'Never' },
    });
    await post(`${admission}/mutatingadmissionpolicybindings`, { metadata, spec: { policyName: 'smoke' } });
    await post(`${admission}/validatingadmissionpolicies`, {
      metadata,
      spec: { matchConstraints, validations: [validation] },
    });
    await post(`${admission}/validatingadmissionpolicybindings`, {
      metadata,
      spec: { policyName: 'smoke', validationActions: ['Deny'] },
    });
    const create = (data: Record<string, string>) =>
      cluster.request('POST', `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`, {
        body: { metadata: { name: 'x' }, data },
      });
    await until(async () => (await create({})).body['data'], { what: 'the mutation' });
    await until(async () => (await create({ forbidden: 'x' })).status === 422, { what: 'the refusal' });
  });

  test('answers 503 for an aggregated API that is down', async () => {
    const spec = {
      group: 'dead.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      service: { namespace: 'default', name: 'nobody' },
      insecureSkipTLSVerify: true,
    };
    const services = '/apis/apiregistration.k8s.io/v1/apiservices';
    const body = { metadata: { name: 'v1.dead.example.com' }, spec };
    assert.equal((await cluster.request('POST', services, { body })).status, 201);
    await until(async () => (await cluster.request('GET', '/apis/dead.example.com/v1')).status === 503);
    const { groups } = (await cluster.request<{ groups: { name: string }[] }>('GET', '/apis')).body;
    assert.ok(
      groups.some(({ name }) => name === spec.group),
      'it is down, not gone',
    );
    await cluster.request('DELETE', `${services}/v1.dead.example.com`);
  });

  test('its API server ends with the process that holds it', async () => {
    const { pid, apiServerPid, dir } = cluster;
    assert.ok(lives(apiServerPid));
    process.kill(pid, 'SIGKILL');
    await until(() => !lives(pid) && !lives(apiServerPid));
    rmSync(dir, { recursive: true });
  });
});

describe('starting and ending', () => {
  test('a taken port, a used directory and a bad flag are told apart', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    await assert.rejects(startCluster({ port: (other.address() as AddressInfo).port }), /port \d+ is taken/);
    const { dir } = await sharedCluster();
    await assert.rejects(startCluster({ dir }), /holds the data of another cluster/);
    await assert.rejects(startCluster({ apiServerArgs: ['--no-such-flag'] }), /unknown flag: --no-such-flag/);
  });

  test('kill -9 of the process that started it leaves no process and no file', async () => {
    const script = `
      const { startCluster } = await import(${JSON.stringify(import.meta.resolve('./cluster.ts'))});
      const { dir, pid, apiServerPid } = await startCluster();
      console.log(JSON.stringify({ dir, pid, apiServerPid }));
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string];
    const started = JSON.parse(line) as Pick<Cluster, 'dir' | 'pid' | 'apiServerPid'>;
    assert.ok(lives(started.pid) && lives(started.apiServerPid) && existsSync(started.dir));
    starter.kill('SIGKILL');
    await until(() => !lives(started.pid) && !lives(started.apiServerPid) && !existsSync(started.dir));
  });

  test('a parent that is gone is noticed even when stdin stays open, and while the API server starts', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-orphan-'));
    // The shell passes our pipe on, so that its death closes nothing.
    const script = 'exec 3<&0; "$0" run -dir="$1" -temporary <&3 & echo $!; wait';
    const shell = spawn('sh', ['-c', script, await buildCluster(), dir], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [pid] = (await once(createInterface({ input: shell.stdout }), 'line')) as [string];
    await until(() => existsSync(join(dir, 'apiserver.log')));
    assert.ok(lives(Number(pid)));
    shell.kill('SIGKILL');
    await until(() => !lives(Number(pid)) && !existsSync(dir));
    shell.stdin.destroy();
  });
});

/** A process that has ended and that nobody has waited for yet (state Z) does not live. */
function lives(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false; // ps exits with 1: no such process
  }
}
