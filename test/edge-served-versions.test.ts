// The cluster begins or ceases to serve a version of Emissary's kinds, by an upgrade of its CRDs: what the sources are told follows.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { applied, edgeFixture, host, statusWith } from './edge.ts';
import { applyObject, objectsOf } from './install.ts';
import { manifest } from './team.ts';
import { until } from './until.ts';

const { world, shop } = await edgeFixture('shop');
const { cluster } = world;
const OLD = 'getambassador.io/v1';

/** Emissary's own CRD, with v1 too. */
async function serveOld(served: boolean): Promise<void> {
  const objects = objectsOf('examples/emissary-crds/mappings.yaml');
  const crd = objects.find(({ kind }) => kind === 'CustomResourceDefinition')!;
  const spec = crd['spec'] as { versions: object[] };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = [...spec.versions, { name: 'v1', served, storage: false, schema }];
  await applyObject(cluster, { ...crd, spec: { ...spec, versions } });
  const isServed = async () => (await cluster.request('GET', `/apis/${OLD}/mappings`)).status === 200;
  await until(async () => (await isServed()) === served, { what: `v1 is served: ${served}` });
}

const rules = ({ edge }: GitOpsSourceStatus) => (edge?.findings ?? []).map(({ rule }) => rule);

it('a policy in a version that is served no more is told of', async () => {
  await serveOld(true);
  const source = await shop.source('app', {
    'h.yaml': host('old', 'old.example'),
    'm.yaml': manifest(OLD, 'Mapping', 'old', { spec: { prefix: '/old/', service: 'web:80' } }),
  });
  assert.ok(!rules(await applied(source)).includes('EM094'));
  await serveOld(false);
  await statusWith(source, 'EM094', undefined, (status) => rules(status).includes('EM094'));
});
