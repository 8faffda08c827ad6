import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';

// [http of a health check, what else the Mapping says, the stage at which the compiler raises, keys of what is posted]
const CHECKS: [http: object, more: object, freeze: string | undefined, errors: string[]][] = [
  [{}, {}, undefined, []],
  [{ expected_statuses: [{ min: 200, max: 299 }] }, {}, undefined, []],
  [{ expected_statuses: [{ min: 300, max: 299 }] }, {}, undefined, []],
  [{ expected_statuses: [{ min: 301, max: 299 }] }, {}, undefined, ['ir.health_checks']],
  [{ expected_statuses: [{ min: 301, max: 299 }] }, { shadow: true }, undefined, ['ir.health_checks']],
  [{ expected_statuses: [{ min: 301, max: 299 }] }, { host_redirect: true }, undefined, []],
  [{ add_request_headers: { 'x-a': { value: 'v' } } }, {}, undefined, []],
  [{ add_request_headers: { 'x-a': { append: true } } }, {}, 'ir', []],
  [{ add_request_headers: { 'x-a': { value: '' } } }, {}, 'ir', []],
];

void test('what is wrong with health checks', () => {
  for (const [http, more, stage, errors] of CHECKS) {
    const health_checks = [{ health_check: { http: { path: '/', ...http } } }];
    const spec = { hostname: '*', prefix: '/x/', service: 's', health_checks, ...more };
    const metadata = { name: 'm', namespace: 't1' };
    const object = { apiVersion: 'getambassador.io/v3alpha1', kind: 'Mapping', metadata, spec };
    const edge = compileEdge({
      objects: [{ object, origin: {} }],
      secret: () => undefined,
      settings: DEFAULT_EDGE_SETTINGS,
    });
    const what = JSON.stringify([http, more]);
    assert.equal(edge.freeze?.stage, stage, what);
    assert.deepEqual(
      edge.errors.map(({ key }) => key),
      errors,
      what,
    );
  }
});
