// The stand-in for an image must be as strict as the real one, or the tests that stand on it show nothing.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sharedCluster } from './cluster.ts';
import { noContainers, startContainer } from './container.ts';
import { applyObject, objectsOf } from './install.ts';

const PROBE = `
import { writeFileSync, readdirSync, readFileSync } from 'node:fs';
const attempt = (path) => { try { writeFileSync(path, 'x'); return 'written'; } catch (error) { return error.code; } };
console.log(JSON.stringify({
  uid: process.getuid(), gid: process.getgid(), args: process.argv.slice(2), env: Object.keys(process.env).sort(),
  root: readdirSync('/').sort(), namespace: readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'utf8'),
  writes: ['/x', '/app/x', '/tmp/x', '/var/cache/x', '/var/cache/plumbline/x', '/var/run/secrets/kubernetes.io/serviceaccount/token']
    .map((path) => [path, attempt(path)]),
}));`;

test(
  'a container has the root, the user, the arguments and the environment of the manifest',
  { skip: noContainers() },
  async () => {
    const cluster = await sharedCluster();
    const installed = objectsOf('deploy/install.yaml');
    const wanted = installed.filter(({ kind }) => kind === 'Namespace' || kind === 'ServiceAccount');
    for (const object of wanted) await applyObject(cluster, object);
    const app = mkdtempSync(join(tmpdir(), 'plumbline-probe-'));
    writeFileSync(join(app, 'probe.mjs'), PROBE);
    chmodSync(app, 0o755);
    const deployment = installed.find(({ kind }) => kind === 'Deployment')!;
    const container = await startContainer({
      cluster,
      deployment,
      app,
      program: 'probe.mjs',
      ports: { metrics: 1, health: 2 },
    });
    await new Promise((resolve) => container.process.once('close', resolve));
    rmSync(app, { recursive: true });
    assert.match(container.output(), /^\{/, container.output());
    const seen = JSON.parse(container.output()) as Record<string, unknown>;
    assert.deepEqual(seen, {
      uid: 65532,
      gid: 65532,
      args: [
        '--leader-elect=true',
        '--default-service-account=plumbline',
        '--metrics-address=127.0.0.1:1',
        '--health-address=127.0.0.1:2',
        '--cache-dir=/var/cache/plumbline',
        '--log-level=info',
      ],
      env: [
        'KUBERNETES_SERVICE_HOST',
        'KUBERNETES_SERVICE_PORT',
        'NODE_ENV',
        'POD_NAME',
        'POD_NAMESPACE',
        'POD_UID',
        'PWD',
      ],
      root: ['app', 'dev', 'etc', 'lib', 'lib64', 'proc', 'usr', 'var'],
      namespace: 'plumbline-system',
      writes: [
        ['/x', 'EROFS'],
        ['/app/x', 'EROFS'],
        ['/tmp/x', 'ENOENT'],
        ['/var/cache/x', 'EROFS'],
        ['/var/cache/plumbline/x', 'written'],
        ['/var/run/secrets/kubernetes.io/serviceaccount/token', 'EROFS'],
      ],
    });
  },
);
