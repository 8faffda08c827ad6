// Somebody nests a live value so deeply that whoever walks it by recursion, or writes it as JSON, runs out of stack: it is drift
// like any other, and nothing beside it is held up.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { crd, manifest, Team } from './team.ts';
import { until } from './until.ts';

/** JSON.stringify gives up at some 5,000 levels; the API server takes 10,000. A list of lists is one field to it. */
const LISTS = `${'['.repeat(6_000)}${']'.repeat(6_000)}`;
/** Each level is a field of its own in managedFields, which takes the API server a time that grows with the square. */
const MAPS = `${'{"a":'.repeat(800)}1${'}'.repeat(800)}`;
const PATIENCE_MS = 120_000;

let world: World;
let group: string;
before(async () => {
  world = await World.create();
  group = `${world.namespace}.deep.example.com`;
  await world.expect(201, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: crd(group, 'Widget', 'widgets'),
    contentType: 'application/yaml',
  });
  const served = async () => (await world.cluster.request('GET', world.path(place('')))).status === 200;
  await until(served, { what: 'widgets are served' });
});
after(() => world[Symbol.asyncDispose]());

type Spec = Record<string, unknown>;

const place = (name: string) => `${group}/v1/widgets/${name}`;
const widget = (name: string, value = 'declared') => manifest(`${group}/v1`, 'Widget', name, { spec: { value } });
const specOf = async (name: string) => (await world.get(place(name)))?.['spec'] as Spec;

/** With kubectl: `{"spec":{"<field>":<json>}}`. */
async function edit(name: string, field: string, json: string): Promise<KubeObject> {
  const path = `${world.path(place(name))}?fieldManager=somebody`;
  const contentType = 'application/merge-patch+json';
  return world.expect(200, 'PATCH', path, { body: `{"spec":{"${field}":${json}}}`, contentType });
}

const becomes = (name: string, fits: (spec: Spec) => boolean, what: string) =>
  until(async () => fits(await specOf(name)), { what: `${name}: ${what}`, timeoutMs: PATIENCE_MS });

for (const foreignFields of ['Leave', 'Report', 'Remove'] as const) {
  it(`deep values are healed, and what is added is treated as ${foreignFields} says`, async () => {
    const name = foreignFields.toLowerCase();
    const files = { 'deep.yaml': widget(name), 'beside.yaml': widget(`${name}-beside`) };
    const team = await Team.ready(world, name, files, { drift: { foreignFields } });
    for (const deep of [LISTS, MAPS]) {
      await edit(name, 'value', deep);
      await becomes(name, ({ value }) => value === 'declared', 'the deep value is healed');
      await edit(name, 'extra', deep);
      await edit(`${name}-beside`, 'value', '"edited"');
      await becomes(`${name}-beside`, ({ value }) => value === 'declared', 'its neighbour is healed');
      if (foreignFields === 'Remove') await becomes(name, ({ extra }) => extra === undefined, 'the addition goes');
      else assert.ok((await specOf(name))['extra']);
      const reason = foreignFields === 'Report' ? 'ForeignFields' : 'InSync';
      await team.condition('Drifted', 'False', { reason });
    }
    const told = (await team.status()).drift!;
    assert.ok(JSON.stringify(told).length < 20_000);
    assert.equal(told.foreign?.count ?? 0, foreignFields === 'Report' ? 1 : 0);
    await team.push({ 'deep.yaml': widget(name, 'second'), 'beside.yaml': widget(`${name}-beside`, 'second') });
    assert.deepEqual([(await specOf(name))['value'], (await specOf(`${name}-beside`))['value']], ['second', 'second']);
  });
}

it('a restart finds deep values as they were, and heals those that came meanwhile', async () => {
  const files = { 'a.yaml': widget('again-a'), 'b.yaml': widget('again-b'), 'c.yaml': widget('again-c') };
  const team = await Team.ready(world, 'again', files, { drift: { foreignFields: 'Report' } });
  await world.operator.stop('SIGKILL');
  await edit('again-a', 'value', LISTS);
  await edit('again-b', 'extra', MAPS);
  await edit('again-c', 'value', '"edited"');
  world.startOperator();
  for (const name of ['again-a', 'again-c']) await becomes(name, ({ value }) => value === 'declared', 'is healed');
  await team.condition('Drifted', 'False', { reason: 'ForeignFields' });
  await team.condition('Ready', 'True');
  assert.ok((await specOf('again-b'))['extra']);
  assert.ok(!world.operator.lines.some((line) => JSON.stringify(line).includes('call stack')));
});

it('an object that was nested deeply before it was declared is adopted', async () => {
  const body = `{"apiVersion":"${group}/v1","kind":"Widget","metadata":{"name":"old"},"spec":{"value":${LISTS},"extra":${MAPS}}}`;
  await world.expect(201, 'POST', `${world.path(place(''))}?fieldManager=somebody`, { body });
  await Team.ready(world, 'old', { 'old.yaml': widget('old') });
  assert.equal((await specOf('old'))['value'], 'declared');
  assert.ok((await specOf('old'))['extra']);
});
