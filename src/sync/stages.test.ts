import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deletionStages, stageNameOf, stageOf, type Stage } from './stages.ts';

const EDGE = 'getambassador.io';
const RBAC = 'rbac.authorization.k8s.io';
const ADMISSION = 'admissionregistration.k8s.io';

const STAGE_OF: [group: string, kind: string, stage: Stage][] = [
  ['', 'Namespace', 'foundations'],
  ['apiextensions.k8s.io', 'CustomResourceDefinition', 'foundations'],
  ['storage.k8s.io', 'StorageClass', 'configuration'],
  ['networking.k8s.io', 'IngressClass', 'configuration'],
  ['gateway.networking.k8s.io', 'GatewayClass', 'configuration'],
  ['', 'ServiceAccount', 'configuration'],
  [RBAC, 'ClusterRoleBinding', 'configuration'],
  ['', 'ConfigMap', 'configuration'],
  ['', 'Secret', 'secrets'],
  [EDGE, 'TLSContext', 'tlsContexts'],
  [EDGE, 'Host', 'hosts'],
  [EDGE, 'Listener', 'hosts'],
  [EDGE, 'ConsulResolver', 'hosts'],
  ['', 'Service', 'workloads'],
  ['apps', 'Deployment', 'workloads'],
  ['example.com', 'Unknown', 'workloads'],
  // The group decides, not the name of the kind.
  ['example.com', 'Secret', 'workloads'],
  ['gateway.example.com', 'Mapping', 'workloads'],
  [EDGE, 'Mapping', 'mappings'],
  [EDGE, 'TCPMapping', 'mappings'],
  [EDGE, 'Module', 'globalPolicies'],
  [EDGE, 'AuthService', 'globalPolicies'],
  [EDGE, 'FilterPolicy', 'globalPolicies'],
  [ADMISSION, 'ValidatingWebhookConfiguration', 'admission'],
  ['apiregistration.k8s.io', 'APIService', 'admission'],
];

describe('stages', () => {
  for (const [group, kind, stage] of STAGE_OF) {
    it(`${kind}${group && `.${group}`} → ${stage}`, () => assert.equal(stageNameOf({ group, kind }), stage));
  }

  it('come in the order of need', () => {
    const order = STAGE_OF.map(([group, kind]) => stageOf({ group, kind }));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  });

  it('are taken down in reverse', () => {
    const objects = STAGE_OF.map(([group, kind]) => ({ identity: { group, kind } }));
    const down = deletionStages(objects).map((stage) => stageNameOf(stage[0]!.identity));
    assert.deepEqual(down, [
      'admission',
      'globalPolicies',
      'mappings',
      'workloads',
      'hosts',
      'tlsContexts',
      'secrets',
      'configuration',
      'foundations',
    ]);
  });
});
