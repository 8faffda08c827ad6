// The labelled objects are the inventory: whatever is lost while the operator is down, nothing is forgotten, and what cannot
// be seen is never taken for gone. One restart for all.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, crd, manifest, present, Team, unlabel } from './team.ts';
import { until } from './until.ts';

let world: World;
let unlabelled: Team;
let forgotten: Team;
let silent: Team;
let vanished: Team;
let sound: Team;
let deadGroup: string;
let goneGroup: string;

const widget = (group: string, name: string) => manifest(`${group}/v1`, 'Widget', name, { spec: { size: 1 } });
const secret = (name: string) => manifest('v1', 'Secret', name, { stringData: { a: 'b' } });
const widgetPath = (group: string, name: string) => `/apis/${group}/v1/namespaces/${world.namespace}/widgets/${name}`;
const apiService = (group: string) => `/apis/apiregistration.k8s.io/v1/apiservices/v1.${group}`;
const crdPath = (group: string) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`;
const statusOf = async (path: string) => (await world.cluster.request('GET', path)).status;

async function installWidgets(group: string): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await world.expect(201, 'POST', path, { body: crd(group, 'Widget', 'widgets'), contentType: 'application/yaml' });
  await until(async () => (await statusOf(widgetPath(group, ''))) === 200);
}

/** Requests for the group go to a Service that does not exist, as when the server behind an aggregated API is down. */
async function silence(group: string): Promise<void> {
  const service = { name: 'dead', namespace: world.namespace, port: 443 };
  const labels = { 'kube-aggregator.kubernetes.io/automanaged': null };
  const body = { metadata: { labels }, spec: { service, insecureSkipTLSVerify: true } };
  await world.expect(200, 'PATCH', apiService(group), { body });
  await until(async () => (await statusOf(widgetPath(group, ''))) === 503, { what: `${group} is silent` });
}

before(async () => {
  world = await World.create();
  deadGroup = `${world.namespace}.dead.example.com`;
  goneGroup = `${world.namespace}.gone.example.com`;
  await Promise.all([installWidgets(deadGroup), installWidgets(goneGroup)]);
  unlabelled = await Team.ready(world, 'bare', {
    'a.yaml': config('bare-a'),
    'b.yaml': config('bare-b'),
    'c.yaml': config('bare-c'),
  });
  forgotten = await Team.ready(world, 'forgot', { 'a.yaml': config('forgot-a'), 'b.yaml': secret('forgot-b') });
  silent = await Team.ready(world, 'silent', {
    'a.yaml': config('silent-a'),
    'b.yaml': config('silent-b'),
    'w.yaml': widget(deadGroup, 'silent-w'),
  });
  vanished = await Team.ready(world, 'vanish', {
    'a.yaml': config('vanish-a'),
    'b.yaml': config('vanish-b'),
    'w.yaml': widget(goneGroup, 'vanish-w'),
  });
  sound = await Team.ready(world, 'sound', { 'a.yaml': config('sound-a'), 'b.yaml': config('sound-b') });
  await world.operator.stop('SIGKILL');

  for (const name of ['bare-a', 'bare-b']) await unlabel(world, name);
  await unlabelled.commit({ 'b.yaml': null, 'c.yaml': null });
  const path = `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources/forgot`;
  await world.expect(200, 'PATCH', `${path}/status`, { body: { status: null } });
  assert.equal((await forgotten.status()).inventory, undefined);
  await forgotten.commit({ 'b.yaml': null });
  await silence(deadGroup);
  await silent.commit({ 'b.yaml': null, 'w.yaml': null, 'c.yaml': config('silent-c') });
  await world.expect(200, 'DELETE', crdPath(goneGroup));
  await until(async () => (await statusOf(crdPath(goneGroup))) === 404);
  await vanished.commit({ 'b.yaml': null });
  await sound.commit({ 'b.yaml': null });
  world.startOperator();
});
after(async () => {
  // The APIService outlives the test otherwise, and slows everybody's discovery.
  await world.cluster.request('DELETE', apiService(deadGroup));
  await world[Symbol.asyncDispose]();
});

describe('after a restart', () => {
  it('an object that lost its labels is labelled again while Git has it, and pruned when Git has not', async () => {
    await present(world, 'bare-b', false);
    await present(world, 'bare-c', false);
    const { metadata } = (await world.get('v1/configmaps/bare-a'))!;
    assert.equal(metadata.labels?.['plumbline.dev/name'], 'bare');
    await until(async () => (await unlabelled.status()).inventory?.count === 1);
  });

  it('a source whose status was lost still prunes a kind that Git no longer names', async () => {
    await until(async () => (await world.get('v1/secrets/forgot-b')) === undefined, { what: 'the Secret is gone' });
    const { status } = await forgotten.condition('Ready', 'True');
    await present(world, 'forgot-a');
    assert.deepEqual(
      status?.inventory?.kinds.map(({ kind }) => kind),
      ['ConfigMap'],
    );
  });

  it('a kind that is really gone holds nobody up: the rest is applied, and waits for it only while Git names it', async () => {
    await vanished.failure('vanish-w', 'KindNotFound');
    await present(world, 'vanish-b');
    await vanished.push({ 'w.yaml': null });
    await present(world, 'vanish-b', false);
    await until(async () => (await vanished.status()).inventory?.kinds.length === 1);
  });

  it('an API that is down is not gone: what is declared is applied, nothing is pruned, others go on', async () => {
    await present(world, 'sound-b', false);
    await present(world, 'silent-c');
    const { status } = await silent.condition('Drifted', 'Unknown');
    assert.deepEqual(
      status?.inventory?.kinds.map(({ kind, count }) => [kind, count]).find(([kind]) => kind === 'Widget'),
      ['Widget', 1],
    );
    await present(world, 'silent-b');
    // It speaks again: what Git dropped meanwhile goes.
    await world.expect(200, 'DELETE', apiService(deadGroup));
    await present(world, 'silent-b', false);
    await until(async () => (await statusOf(widgetPath(deadGroup, 'silent-w'))) === 404);
    assert.equal(await statusOf(widgetPath(deadGroup, '')), 200);
    await silent.condition('Drifted', 'False');
  });

  it('deleting a source finds what lost its labels, too', async () => {
    await world.operator.stop('SIGKILL');
    await unlabel(world, 'sound-a');
    await sound.delete();
    world.startOperator();
    await sound.gone();
    await present(world, 'sound-a', false);
  });
});
