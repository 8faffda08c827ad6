import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';

function object(kind: string, namespace: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace }, spec };
}

// [service of a Mapping, its tls, a TLSContext, what its cluster presents and checks]
const ORIGINATIONS: [service: string, tls: string | undefined, context: object, presents: unknown][] = [
  ['https://s', undefined, {}, [[], false]],
  ['s', undefined, { secret: 'mine' }, [[], false]],
  ['https://s', undefined, { secret: 'mine', ca_secret: 'ca' }, [['mine.t2'], true]],
  ['https://s', undefined, { secret: 'absent' }, [[], false]],
  ['s', 'no-cert-upstream', { secret: 'mine' }, [['mine.t2'], false]],
];

void test('a TLSContext with the name of the one that Emissary invents is used wherever TLS is originated without one', () => {
  for (const [service, tls, context, presents] of ORIGINATIONS) {
    const objects = [
      object('Mapping', 't1', 'm', { hostname: '*', prefix: '/x/', service, ...(tls && { tls }) }),
      object('TLSContext', 't2', 'no-cert-upstream', context),
    ].map((one) => ({ object: one, origin: {} }));
    const { clusters } = compileEdge({
      objects,
      secret: (name, namespace) =>
        name === 'absent' ? undefined : { name, namespace, keys: new Set(['tls.crt', 'tls.key']) },
      settings: DEFAULT_EDGE_SETTINGS,
    });
    const cluster = [...clusters.values()].find(({ endpoints }) => endpoints[0]?.startsWith('s.'));
    assert.deepEqual(
      [cluster?.clientCertificates, cluster?.verified],
      presents,
      JSON.stringify([service, tls, context]),
    );
  }
});

// [what a Mapping says, the stage at which the compiler raises]
const CHECKED: [fields: object, stage: string | undefined][] = [
  [{ service: 's:80' }, undefined],
  [{ service: 's:http' }, 'envoy'],
  [{ service: 'http://:80' }, 'envoy'],
  [{ service: 's:http', health_checks: undefined }, undefined],
  [{ service: 's:http', shadow: true }, 'envoy'],
  [{ service: 's:http', host_redirect: true }, undefined],
  [{ service: 's:http', resolver: 'nope' }, undefined],
];

void test('health checks of an upstream that is ignored for its service end the compiler', () => {
  for (const [fields, stage] of CHECKED) {
    const health_checks = [{ health_check: { http: { path: '/' } } }];
    const spec = { hostname: '*', prefix: '/x/', health_checks, ...fields };
    const mapping = { object: object('Mapping', 't1', 'm', JSON.parse(JSON.stringify(spec))), origin: {} };
    const { freeze } = compileEdge({ objects: [mapping], secret: () => undefined, settings: DEFAULT_EDGE_SETTINGS });
    assert.deepEqual([freeze?.stage, freeze?.policy?.name], [stage, stage && 'm'], JSON.stringify(fields));
  }
});
