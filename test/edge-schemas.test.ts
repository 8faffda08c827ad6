// Our own comparison with the schemas says what the API server says with the same CRDs.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { conformityOf } from '../src/edge/conformity.ts';
import { freshNamespace, sharedCluster } from './cluster.ts';
import { applyObject, objectsOf } from './install.ts';
import { readEdgeVectors } from './edge-vectors.ts';
import { until } from './until.ts';

const CRDS = 'examples/emissary-crds';
const API_VERSION = 'getambassador.io/v3alpha1';

const cluster = await sharedCluster();
const files = readdirSync(join(import.meta.dirname, '..', CRDS)).filter((file) => file.endsWith('.yaml'));
for (const crd of files.flatMap((file) => objectsOf(join(CRDS, file)))) await applyObject(cluster, crd);
const namespace = await freshNamespace(cluster, 'schemas');

const plural = (kind: string) => `${kind.toLowerCase()}s`;
const collection = (kind: string) => `/apis/${API_VERSION}/namespaces/${namespace}/${plural(kind)}`;
for (const kind of [
  'Mapping',
  'Host',
  'Listener',
  'TLSContext',
  'TCPMapping',
  'Module',
  'AuthService',
  'TracingService',
]) {
  await until(async () => (await cluster.request('GET', collection(kind))).status === 200, {
    what: `${kind}s are served`,
  });
}

interface Answer {
  status: number;
  message: string;
}

async function dryRun(kind: string, spec: unknown, fieldValidation: 'Strict' | 'Ignore'): Promise<Answer> {
  const body = { apiVersion: API_VERSION, kind, metadata: { name: 'x', namespace }, spec };
  const url = `${collection(kind)}?dryRun=All&fieldValidation=${fieldValidation}`;
  const { status, body: answer } = await cluster.request<{ message?: string }>('POST', url, { body });
  return { status, message: answer.message ?? '' };
}

const BASE = { prefix: '/x/', service: 'web' };

const SPECS: [kind: string, spec: object][] = [
  ['Mapping', BASE],
  ['Mapping', {}],
  ['Mapping', { ...BASE, weight: '10' }],
  ['Mapping', { ...BASE, weight: 1.5 }],
  ['Mapping', { ...BASE, ambassador_id: 'default' }],
  ['Mapping', { ...BASE, tls: true }],
  ['Mapping', { ...BASE, headers: { a: true } }],
  ['Mapping', { ...BASE, labels: { d: [{ a: [], b: [] }] } }],
  ['Mapping', { ...BASE, labels: { d: [{ a: [{}] }] } }],
  ['Mapping', { ...BASE, redirect_response_code: 309 }],
  ['Mapping', { ...BASE, error_response_overrides: [] }],
  ['Mapping', { ...BASE, error_response_overrides: [{ on_status_code: 399, body: {} }] }],
  ['Mapping', { ...BASE, v2ExplicitTLS: { serviceScheme: 'ftp://' } }],
  ['Mapping', { ...BASE, envoy_override: { anything: 1 }, modules: [{ anything: 1 }] }],
  ['Mapping', { ...BASE, weigth: 10 }],
  ['Mapping', { ...BASE, retry_policy: { retry_on: '5xx', retries: 3 } }],
  ['Host', { hostname: 'a.com', tls: { min_tls_version: 'v9' }, requestPolicy: { insecure: { action: 'Drop' } } }],
  ['Host', { ambassadorId: 'x' }],
  ['Listener', { port: 0, securityModel: 'XFP', hostBinding: {} }],
  ['Listener', { port: 70_000, securityModel: 'XFP', hostBinding: {} }],
  ['Listener', { port: 80, securityModel: 'NONE', hostBinding: {}, protocolStack: ['HTTP', 'X'] }],
  ['TLSContext', { min_tls_version: 'v1.4' }],
  ['TCPMapping', { port: 1, service: 'db', idle_timeout_ms: 5 }],
  ['Module', { config: { anything: { at: 'all' } } }],
  ['Module', {}],
  ['AuthService', { auth_service: 'a', include_body: {} }],
  ['TracingService', { driver: 'opentelemetry', service: 'x', custom_tags: [{ tag: 'a' }] }],
];

for (const [kind, spec] of SPECS) {
  test(`${kind} ${JSON.stringify(spec)}`, async () => {
    const { violations, unknown } = conformityOf(kind, 'v3alpha1', spec);
    const lenient = await dryRun(kind, spec, 'Ignore');
    assert.equal(lenient.status, violations.length > 0 ? 422 : 201, lenient.message);
    for (const { field } of violations) assert.ok(named(lenient.message, field), `${field} in ${lenient.message}`);
    const strict = await dryRun(kind, spec, 'Strict');
    for (const field of unknown) assert.match(strict.message, new RegExp(`unknown field "${field}"`));
    assert.equal(strict.message.includes('unknown field'), unknown.length > 0, strict.message);
  });
}

test('of the recorded objects the server refuses those that we find fault with', async () => {
  const recorded = readEdgeVectors(new URL('vectors/edge/directed.jsonl', import.meta.url).pathname);
  const policies = recorded.flatMap(({ objects }) => objects).filter(({ apiVersion }) => apiVersion === API_VERSION);
  const different = new Map(policies.map(({ kind, spec }) => [JSON.stringify([kind, spec]), { kind, spec }]));
  const served = [...different.values()].filter(({ kind }) =>
    ['Mapping', 'Host', 'Listener', 'TLSContext'].includes(kind),
  );
  assert.ok(served.length > 100);
  for (const { kind, spec } of served) {
    const { violations } = conformityOf(kind, 'v3alpha1', spec);
    const { status, message } = await dryRun(kind, spec, 'Ignore');
    assert.equal(status, violations.length > 0 ? 422 : 201, `${kind} ${JSON.stringify(spec)}: ${message}`);
  }
});

/** The server writes `spec.list[0].field`, and names what is missing, not what lacks it. */
function named(message: string, field: string): boolean {
  return message.includes(field.replaceAll(/\.(\d+)/g, '[$1]'));
}
