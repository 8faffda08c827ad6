import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSpec } from '../src/api/source.ts';
import { freshNamespace, sharedCluster } from './cluster.ts';
import { installCrd } from './install.ts';
import { SAMPLES } from './source-samples.ts';

const cluster = await sharedCluster();
await installCrd(cluster);
const namespace = await freshNamespace(cluster, 'crd-samples');
const collection = `/apis/plumbline.dev/v1alpha1/namespaces/${namespace}/gitopssources`;

interface Refusal {
  message: string;
  details?: { causes?: { field: string }[] };
}

function create(name: string, spec: unknown) {
  const body = { apiVersion: 'plumbline.dev/v1alpha1', kind: 'GitOpsSource', metadata: { name }, spec };
  return cluster.request<Refusal>('POST', `${collection}?dryRun=All`, { body });
}

test('the table is large enough to mean something', () => {
  assert.ok(SAMPLES.length >= 60);
  assert.ok(SAMPLES.filter(({ wrong }) => wrong === undefined).length >= 20);
});

for (const { title, spec, wrong } of SAMPLES) {
  test(`${wrong === undefined ? 'good' : 'bad'} to zod and to the API server: ${title}`, async () => {
    const parsed = parseSpec(spec);
    assert.deepEqual(parsed.ok ? [] : parsed.problems.map(({ path }) => path), wrong === undefined ? [] : [wrong]);
    const answer = await create('sample', spec);
    assert.equal(answer.status, wrong === undefined ? 201 : 422, answer.body.message);
    if (wrong === undefined) return;
    const fields = answer.body.details?.causes?.map(({ field }) => field) ?? [];
    assert.ok(
      fields.some((field) => wrong.startsWith(field) || field.startsWith(wrong)),
      `the server blames ${fields.join(', ')}`,
    );
  });
}

test('a range of versions that says nothing passes the API server, and only there', async () => {
  const spec = { url: 'https://git.example.com/a', ref: { semver: 'one-point-two' } };
  assert.equal((await create('sample', spec)).status, 201);
  assert.equal(parseSpec(spec).ok, false);
});

test('what is wrong with a schedule beyond its form passes the API server, and only there', async () => {
  for (const schedule of ['0 0 * * FRI-MON', '0 0 31 2 *', '0 0 1 */99 *']) {
    const window = { schedule, duration: '1h', for: 'sync', effect: 'allow' };
    const spec = { url: 'https://git.example.com/a', windows: [window] };
    assert.equal((await create('sample', spec)).status, 201);
    const parsed = parseSpec(spec);
    assert.deepEqual(parsed.ok || parsed.problems.map(({ path }) => path), ['spec.windows[0].schedule']);
  }
});

test('a name must fit into a label', async () => {
  const spec = { url: 'https://git.example.com/a' };
  assert.equal((await create('a'.repeat(63), spec)).status, 201);
  const refused = await create('a'.repeat(64), spec);
  assert.equal(refused.status, 422);
  assert.match(refused.body.message, /the name must have at most 63 characters/);
});
