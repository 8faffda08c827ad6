// A commit that brings the CRD of a version may use that version at once.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dump } from 'js-yaml';
import type { KubeObject } from '../src/kube/object.ts';
import { applied, edgeFixture, policyOf, stoppedBy } from './edge.ts';
import { applyObject, objectsOf } from './install.ts';
import { manifest } from './team.ts';

const { world, shop } = await edgeFixture('shop');

/** Emissary's own, serving v1 too. */
function mappingsOfV1(): KubeObject {
  const [crd] = objectsOf('examples/emissary-crds/mappings.yaml').filter(
    ({ kind }) => kind === 'CustomResourceDefinition',
  );
  const spec = crd!['spec'] as { versions: object[] };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const v1 = { name: 'v1', served: true, storage: false, schema };
  return { ...crd!, spec: { ...spec, versions: [...spec.versions, v1] } };
}

it('without the CRD the commit is stopped, with it it passes', async () => {
  await applyObject(world.cluster, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'platform' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'plumbline', namespace: shop.namespace }],
  });
  const spec = { host: 'v1.example', prefix: '/', service: 'web:80' };
  const source = await shop.source('app', { 'm.yaml': manifest('getambassador.io/v1', 'Mapping', 'old', { spec }) });
  assert.deepEqual(await stoppedBy(source), ['EM094']);
  assert.equal(await policyOf(shop, 'Mapping', 'old'), undefined);

  const commit = await source.repository.write({ 'crd.yaml': dump(mappingsOfV1()) });
  await applied(source, commit);
  assert.ok(await policyOf(shop, 'Mapping', 'old'));
});
