// What others need comes first, in one commit; what needs others waits for them and never for anything else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { applyObject, objectsOf } from './install.ts';
import { World } from './operator.ts';
import { config, crd, deployment, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => {
  world = await World.create();
  for (const kind of ['hosts', 'tlscontexts', 'mappings']) {
    for (const object of objectsOf(`examples/emissary-crds/${kind}.yaml`)) await applyObject(world.cluster, object);
  }
  await until(
    async () => (await world.cluster.request('GET', world.path('getambassador.io/v3alpha1/hosts'))).status === 200,
  );
});
after(() => world[Symbol.asyncDispose]());

/** The gate of the edge would say no before anything has to wait; what waits is the subject here. */
const ungated = { edge: { mode: 'Off' as const } };

const edge = (kind: string, name: string, spec: object) => manifest('getambassador.io/v3alpha1', kind, name, { spec });
const host = (name: string, secret: string) =>
  edge('Host', name, { hostname: `${name}.example.com`, tlsSecret: { name: secret } });
const service = (name: string) => manifest('v1', 'Service', name, { spec: { ports: [{ port: 80 }] } });
const secret = (name: string) =>
  manifest('v1', 'Secret', name, { type: 'Opaque', stringData: { 'tls.crt': 'x', 'tls.key': 'y' } });
/** The server refuses it: its keys are missing. */
const refusedSecret = (name: string) => manifest('v1', 'Secret', name, { type: 'kubernetes.io/tls', data: {} });

const hostPath = (name: string) => `getambassador.io/v3alpha1/hosts/${name}`;

describe('stages', { concurrency: true }, () => {
  it('a Namespace, a CRD and what lives in them come in one commit', async () => {
    const namespace = `${world.namespace}-new`;
    const group = `${world.namespace}.stages.example.com`;
    const team = await Team.ready(world, 'whole', {
      // In the worst order of names.
      'a.yaml': manifest(`${group}/v1`, 'Widget', 'whole-widget', { metadata: { namespace }, spec: { size: 1 } }),
      'b.yaml': config('whole-config', { a: '1' }, { namespace }),
      'y.yaml': manifest('v1', 'Namespace', namespace),
      'z.yaml': crd(group, 'Widget', 'widgets'),
    });
    await world.expect(200, 'GET', `/apis/${group}/v1/namespaces/${namespace}/widgets/whole-widget`);
    assert.equal((await team.status()).inventory?.count, 4);
    const failed = world.operator.lines.filter(
      ({ source, msg }) => source === team.key && msg?.startsWith('could not'),
    );
    assert.deepEqual(failed, [], 'at the first attempt');
  });

  it('a custom resource waits for a CRD that comes from elsewhere, and nothing waits for it', async () => {
    const group = `${world.namespace}.later.example.com`;
    const team = await Team.create(world, 'later', {
      'a.yaml': manifest(`${group}/v1`, 'Gadget', 'later-gadget', { spec: { size: 1 } }),
      'b.yaml': config('later-config'),
    });
    const failure = await team.failure('later-gadget', 'KindNotFound');
    assert.equal(failure.file, 'a.yaml');
    await present(world, 'later-config');
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await world.expect(201, 'POST', path, { body: crd(group, 'Gadget', 'gadgets'), contentType: 'application/yaml' });
    await team.condition('Ready', 'True');
    await world.expect(200, 'GET', `/apis/${group}/v1/namespaces/${world.namespace}/gadgets/later-gadget`);
  });

  it('a Host waits for its certificate, in one commit and across commits', async () => {
    const team = await Team.create(
      world,
      'cert',
      {
        'a.yaml': host('cert-host', 'cert-tls'),
        'b.yaml': config('cert-config'),
      },
      ungated,
    );
    const failure = await team.failure('cert-host', 'WaitingForReference');
    assert.match(failure.message, new RegExp(`Secret ${world.namespace}/cert-tls, which does not exist`));
    await present(world, 'cert-config');
    assert.equal(await world.get(hostPath('cert-host')), undefined);

    await team.commit({ 'z.yaml': refusedSecret('cert-tls') });
    await team.failure('cert-tls', 'ApiInvalid');
    assert.match((await team.failure('cert-host')).message, /is not applied yet/);
    assert.equal(await world.get(hostPath('cert-host')), undefined);

    await team.push({ 'z.yaml': secret('cert-tls') });
    assert.ok(await world.get(hostPath('cert-host')));
    const writes = team.writes.filter((line) => !line.includes('config'));
    assert.deepEqual(
      writes.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['created Secret', 'created Host.getambassador.io'],
    );
  });

  it('a Host waits for a certificate that others make', async () => {
    const team = await Team.create(
      world,
      'made',
      { 'a.yaml': host('made-host', 'made-tls') },
      { ...ungated, retryInterval: '1s' },
    );
    await team.failure('made-host', 'WaitingForReference');
    await world.expect(201, 'POST', world.path('v1/secrets'), {
      body: secret('made-tls'),
      contentType: 'application/yaml',
    });
    await team.condition('Ready', 'True');
  });

  it('a Mapping comes after its Service and its Host, whatever their names', async () => {
    const team = await Team.ready(
      world,
      'route',
      {
        'a.yaml': edge('Mapping', 'route-a', {
          prefix: '/',
          hostname: '*',
          service: 'route-web',
          tls: 'route-context',
        }),
        'b.yaml': service('route-web'),
        'c.yaml': edge('TLSContext', 'route-context', { secret: 'route-tls' }),
        'd.yaml': host('route-host', 'route-tls'),
        'e.yaml': secret('route-tls'),
        'f.yaml': deployment('route-web'),
      },
      ungated,
    );
    const order = team.writes.map((line) => line.split(' ')[1]!.replace('.getambassador.io', ''));
    const at = (kind: string) => order.indexOf(kind);
    assert.ok(at('Secret') < at('TLSContext') && at('TLSContext') < at('Host'), order.join());
    assert.ok(at('Host') < at('Mapping') && at('Service') < at('Mapping'), order.join());
    assert.equal(order.at(-1), 'Mapping');
  });
});
