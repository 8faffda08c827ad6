// A source that the CRD lets through and that makes no sense is Stalled, names the field, and disturbs nobody.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gitopssources.plumbline.dev';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await startCluster();
  world = await World.create({ cluster });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

const MALFORMED: [name: string, spec: object, field: RegExp][] = [
  ['elsewhere', { dependsOn: [{ name: 'good', namespace: 'kube-system' }] }, /dependsOn/],
  ['range', { ref: { semver: 'not a range' } }, /semver/],
  ['interval', { interval: 'soon' }, /interval/],
  ['two-refs', { ref: { branch: 'main', tag: 'v1' } }, /ref/],
  ['number', { path: 7 }, /path/],
  ['url', { url: 'ftp://example.com/x' }, /url/],
  ['drift', { drift: 'yes' }, /drift/],
  ['unknown-mode', { drift: { mode: 'Sometimes' } }, /drift\/mode|drift\.mode/],
];

it('malformed sources are Stalled and say why; the others are served, and a mend is taken up', async () => {
  const good = await Team.ready(world, 'good', { 'a.yaml': config('good-a') });
  // As with a CRD of an older version: the server checks nothing any more.
  const { body: stored } = await cluster.request('GET', CRDS);
  const relaxed = structuredClone(stored) as unknown as { spec: { versions: { schema: unknown }[] } };
  for (const version of relaxed.spec.versions)
    version.schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await world.expect(200, 'PUT', CRDS, { body: { ...relaxed, metadata: { ...stored.metadata, managedFields: [] } } });
  const relaxedServed = async () =>
    (
      await cluster.request(
        'POST',
        `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources?dryRun=All`,
        {
          body: {
            apiVersion: 'plumbline.dev/v1alpha1',
            kind: 'GitOpsSource',
            metadata: { name: 'probe' },
            spec: { path: 7 },
          },
        },
      )
    ).status === 201;
  await until(relaxedServed, { what: 'the schema is relaxed' });

  for (const [name, spec] of MALFORMED) await world.createSource(spec, name);
  for (const [name, , field] of MALFORMED) {
    const { status } = await world.condition('Stalled', 'True', { name, reason: 'InvalidSpec' });
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'InvalidSpec'], name);
    assert.match(ready!.message, field, name);
  }
  for (const [name, spec] of [
    ['nothing', null],
    ['text', 'spec'],
  ] as const) {
    const body = {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      metadata: { name, namespace: world.namespace },
      spec,
    };
    await world.expect(201, 'POST', `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources`, {
      body,
    });
    await world.condition('Stalled', 'True', { name, reason: 'InvalidSpec' });
  }

  await world.edit('v1/configmaps/good-a', { data: { key: 'edited' } });
  await until(async () => (await dataOf(world, 'good-a'))?.['key'] === 'value');
  await good.push({ 'a.yaml': config('good-a', { key: 'second' }) });

  await world.repository.write({ 'a.yaml': config('mended-a') });
  await world.patchSource({ spec: { ref: null } }, 'range');
  await world.condition('Ready', 'True', { name: 'range' });
  const stalled = (await world.source('range'))?.status?.conditions?.find(({ type }) => type === 'Stalled');
  assert.equal(stalled, undefined);
  await world.deleteSource('number');
  await until(async () => (await world.source('number')) === undefined, { what: 'a malformed source can be deleted' });
});
