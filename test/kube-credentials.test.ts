// Connections and credentials: shared, rotated, and never shown.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { inClusterConfig } from '../src/kube/auth.ts';
import { kubeconfigConfig } from '../src/kube/kubeconfig.ts';
import type { KubeError } from '../src/kube/errors.ts';
import { Transport } from '../src/kube/transport.ts';
import { sharedCluster } from './cluster.ts';
import { clientOf, resourceOf } from './kube-client.ts';
import { tcpProxy } from './kube-tcp-proxy.ts';

const cluster = await sharedCluster();
const directory = await mkdtemp(join(tmpdir(), 'plumbline-credentials-'));
after(() => rm(directory, { recursive: true }));
const signal = new AbortController().signal;

async function mount(name: string, token: string, ca: string) {
  const path = await mkdtemp(join(directory, name));
  await Promise.all([writeFile(join(path, 'token'), token), writeFile(join(path, 'ca.crt'), ca)]);
  await writeFile(join(path, 'namespace'), 'plumbline-system');
  const { hostname, port } = new URL(cluster.url);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  let now = 0;
  const clock = { pass: (ms: number) => (now += ms) };
  const config = await inClusterConfig({ directory: path, environment, clock: () => now });
  return { path, config, clock };
}

async function whoAmI(transport: Transport): Promise<string> {
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const answer = await transport.request('POST', path, { signal, body });
  return (answer.body as { status: { userInfo: { username: string } } }).status.userInfo.username;
}

test('400 requests, 16 at a time, share 16 connections at most', async () => {
  await using proxy = await tcpProxy(cluster.url);
  await using api = clientOf(cluster, { url: proxy.url });
  const namespaces = await resourceOf(api, 'v1', 'Namespace');
  let left = 400;
  const worker = async () => {
    while (left-- > 0) await api.get(namespaces, '', 'default', { signal });
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  assert.ok(proxy.connections <= 16, `${proxy.connections} connections`);
});

test('deletions keep their connection', async () => {
  await using proxy = await tcpProxy(cluster.url);
  await using api = clientOf(cluster, { url: proxy.url });
  const configMaps = await resourceOf(api, 'v1', 'ConfigMap');
  const before = proxy.connections;
  for (let index = 0; index < 20; index += 1)
    await api.delete(configMaps, 'default', `absent-${index}`, { signal, uid: 'none' });
  assert.ok(proxy.connections - before <= 1, `${proxy.connections - before} further connections`);
});

test('watches do not take connections away from requests', async () => {
  await using proxy = await tcpProxy(cluster.url);
  await using api = clientOf(cluster, { url: proxy.url });
  const namespaces = await resourceOf(api, 'v1', 'Namespace');
  const abort = new AbortController();
  const watches = Array.from({ length: 30 }, () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const options = { resourceVersion: '', timeoutSeconds: 600, onOpen: resolve, onEvent: () => {} };
    return { open: promise, done: api.watch(namespaces, { ...options, signal: abort.signal }) };
  });
  await Promise.all(watches.map(({ open }) => open));
  await api.get(namespaces, '', 'default', { signal });
  abort.abort(new Error('enough'));
  for (const { done } of watches) await assert.rejects(done, /enough/);
});

test('in a cluster: the token is read again when it is a minute old', async () => {
  const { path, config, clock } = await mount('age', cluster.tokens.driver, cluster.ca);
  await using transport = new Transport(config);
  assert.equal(config.namespace, 'plumbline-system');
  assert.equal(await whoAmI(transport), 'driver');
  await writeFile(join(path, 'token'), `${cluster.tokens.operator}\n`);
  clock.pass(59_000);
  assert.equal(await whoAmI(transport), 'driver');
  clock.pass(1_000);
  assert.equal(await whoAmI(transport), 'operator');
});

test('in a cluster: a token that the server refuses is read again at once', async () => {
  const { path, config } = await mount('refused', 'rotated-away', cluster.ca);
  const statuses: number[] = [];
  await using transport = new Transport(config, { observer: ({ status }) => statuses.push(status) });
  await assert.rejects(whoAmI(transport), { code: 'ApiUnauthorized' });
  assert.deepEqual(statuses.splice(0), [401, 401]);
  await writeFile(join(path, 'token'), cluster.tokens.operator);
  const all = await Promise.all([whoAmI(transport), whoAmI(transport), whoAmI(transport)]);
  assert.deepEqual(all, ['operator', 'operator', 'operator']);
});

test('in a cluster: a watch with a refused token is opened with the new one', async () => {
  const { path, config } = await mount('watch', 'rotated-away', cluster.ca);
  await using transport = new Transport(config);
  await config.credentials(signal);
  await writeFile(join(path, 'token'), cluster.tokens.operator);
  const abort = new AbortController();
  const { promise: open, resolve: onOpen } = Promise.withResolvers<void>();
  const stream = transport.stream('/api/v1/namespaces', {
    signal: abort.signal,
    query: { watch: true },
    onOpen,
    onChunk: () => {},
  });
  await open;
  abort.abort(new Error('enough'));
  await assert.rejects(stream, /enough/);
});

test('in a cluster: a renewed CA means new connections', async () => {
  const { path, config } = await mount('ca', cluster.tokens.operator, rootCertificates[0] ?? '');
  await using transport = new Transport(config);
  await assert.rejects(whoAmI(transport), { code: 'ApiUntrusted' });
  await writeFile(join(path, 'ca.crt'), cluster.ca);
  assert.equal(await whoAmI(transport), 'operator');
});

test('in a cluster: what is missing is named', async () => {
  await assert.rejects(inClusterConfig({ environment: {} }), { code: 'ClusterConfigMissing', message: /--kubeconfig/ });
  const { path, config } = await mount('missing', '', cluster.ca);
  await rm(join(path, 'token'));
  await assert.rejects(config.credentials(signal), { code: 'CredentialsUnavailable', message: /token/ });
});

async function kubeconfig(name: string, user: object): Promise<string> {
  const path = join(directory, name);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    'current-context': 'x',
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

test('a kubeconfig with a token', async () => {
  const config = await kubeconfigConfig(await kubeconfig('token', { token: cluster.tokens.driver }));
  await using transport = new Transport(config);
  assert.equal(config.namespace, 'shop');
  assert.equal(await whoAmI(transport), 'driver');
});

test('a login command runs once for many requests, and is told why it is called', async () => {
  const log = join(directory, 'exec.log');
  const script = join(directory, 'login.mjs');
  await writeFile(
    script,
    `import { appendFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(log)}, JSON.parse(process.env.KUBERNETES_EXEC_INFO).kind + '\\n');
     const status = { token: ${JSON.stringify(cluster.tokens.driver)} };
     console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }));`,
  );
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: [script],
    interactiveMode: 'Never',
  };
  await using transport = new Transport(await kubeconfigConfig(await kubeconfig('exec', { exec })));
  const names = await Promise.all(Array.from({ length: 10 }, () => whoAmI(transport)));
  assert.deepEqual(new Set(names), new Set(['driver']));
  assert.equal(await readFile(log, 'utf8'), 'ExecCredential\n');
});

test('a login command that fails is named; what it printed is not told', async () => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: ['-e', 'console.error("hunter2"); process.exit(1)'],
  };
  const config = await kubeconfigConfig(await kubeconfig('failing', { exec }));
  const error = await config.credentials(signal).then(
    () => assert.fail(),
    (error: KubeError) => error,
  );
  assert.equal(error.code, 'CredentialsUnavailable');
  assert.match(error.message, /by hand/);
  assert.doesNotMatch(`${error.message}${String(error.cause)}`, /hunter2/);
});

test('several kubeconfigs are read together, and of two with one name the first counts', async () => {
  const [here, there] = [join(directory, 'here'), join(directory, 'there')];
  const named = (name: string, port: number) => ({ name, cluster: { server: `https://127.0.0.1:${port}` } });
  const contexts = ['one', 'two'].map((name) => ({ name, context: { cluster: name, user: 'nobody' } }));
  await writeFile(here, JSON.stringify({ clusters: [named('one', 1)] }));
  const rest = { clusters: [named('one', 9), named('two', 2)], contexts, 'current-context': 'one' };
  await writeFile(there, JSON.stringify(rest));
  const files = [here, join(directory, 'absent'), there];
  assert.equal((await kubeconfigConfig(files)).server, 'https://127.0.0.1:1');
  assert.equal((await kubeconfigConfig(files, 'two')).server, 'https://127.0.0.1:2');
  await assert.rejects(kubeconfigConfig([join(directory, 'absent'), join(directory, 'gone')]), /none of these files/);
});

test('a broken kubeconfig is named without its content', async () => {
  const path = join(directory, 'broken');
  await writeFile(path, 'users: [{user: {token: hunter2}}\nclusters: [');
  const aimless = join(directory, 'aimless');
  await writeFile(aimless, 'clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]');
  for (const [file, why] of [
    [path, /not a valid kubeconfig/],
    [join(directory, 'absent'), /ENOENT/],
    [aimless, /names no current context/],
  ] as const) {
    const error = await kubeconfigConfig(file).then(
      () => assert.fail(),
      (error: KubeError) => error,
    );
    assert.equal(error.code, 'ClusterConfigMissing');
    assert.match(error.message, why);
    assert.doesNotMatch(`${error.message}${String(error.cause)}`, /hunter2/);
  }
  await assert.rejects(
    kubeconfigConfig(await kubeconfig('context', {}), 'other'),
    /no cluster for the context "other"/,
  );
});
