import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { collect } from './collect.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';

const CONFIG = 'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: m\nprefix: /x/\nservice: s\n';

function object(apiVersion: string, kind: string): KubeObject {
  const annotations = { 'getambassador.io/config': `---\n${CONFIG}hostname: ${kind.toLowerCase()}.com\n` };
  return { apiVersion, kind, metadata: { name: 'shop', namespace: 't1', annotations } };
}

void test('of equal keys a Service comes before an Ingress, and both before what is no annotation', () => {
  const mapping: KubeObject = {
    apiVersion: 'getambassador.io/v3alpha1',
    kind: 'Mapping',
    metadata: { name: 'shop', namespace: 't1' },
    spec: { prefix: '/x/', service: 's', hostname: 'mapping.com' },
  };
  const objects = [mapping, object('networking.k8s.io/v1', 'Ingress'), object('v1', 'Service')];
  for (const order of [objects, objects.toReversed()]) {
    const compilation = collect({
      objects: order.map((one) => ({ object: one, origin: {} })),
      secret: () => undefined,
      settings: { ...DEFAULT_EDGE_SETTINGS },
    });
    assert.deepEqual(
      compilation.policies.map(({ key, spec }) => [key, spec['hostname']]),
      [
        ['shop.t1.1', 'service.com'],
        ['shop.t1.1', 'ingress.com'],
        ['shop.t1.1', 'mapping.com'],
      ],
    );
    // The later one of a name is the one that counts.
    assert.deepEqual(
      compilation.of('Mapping').map(({ name, spec }) => [name, spec['hostname']]),
      [
        ['m', 'ingress.com'],
        ['shop', 'mapping.com'],
      ],
    );
  }
});
