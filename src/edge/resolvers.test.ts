import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';

function object(kind: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace: 't1' }, spec };
}

// [name and datacenter of a ConsulResolver, what a Mapping asks for, what becomes of the Mapping: its service, or its drop]
const CONSUL: [name: string, datacenter: string | undefined, resolver: string, service: string][] = [
  ['c', 'dc1', 'c', 's'],
  ['c', undefined, 'c', 'invalid'],
  ['c', '', 'c', 'invalid'],
  ['c', undefined, 'consul', 's'],
  // One that is of no use leaves its name to the built-in ones.
  ['consul', undefined, 'consul', 's'],
  ['consul-endpoint', undefined, 'consul', 's'],
  ['kubernetes-service', undefined, 'kubernetes-service', 's.t1'],
];

void test('a ConsulResolver without a datacenter is as unknown as one that nobody declares', () => {
  for (const [name, datacenter, resolver, service] of CONSUL) {
    const objects = [
      object('ConsulResolver', name, datacenter === undefined ? {} : { datacenter }),
      object('Mapping', 'm', { hostname: '*', prefix: '/x/', service: 's', resolver }),
    ].map((one) => ({ object: one, origin: {} }));
    const { groups, clusters, drops, errors } = compileEdge({
      objects,
      secret: () => undefined,
      settings: DEFAULT_EDGE_SETTINGS,
    });
    const what = `${name} ${datacenter} for ${resolver}`;
    const [member] = groups.find(({ internal }) => !internal)?.members ?? [];
    const dropped = drops.find(({ policy }) => policy.kind === 'Mapping' && policy.name === 'm')?.reason;
    const served = member?.cluster && [...clusters.values()].find((one) => one === member.cluster)?.altStatName;
    assert.equal(served?.replace('_', '.') ?? dropped, service, what);
    const told = errors.filter(({ message }) => message.includes('datacenter'));
    assert.equal(told.length, datacenter ? 0 : 1, what);
  }
});
