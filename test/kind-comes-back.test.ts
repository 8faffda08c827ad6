// The CRD of a declared object is deleted by somebody and installed again: the object is back at once, without a push.
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { crd, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

it('a kind that goes is told as such, and its objects come back with it', async () => {
  const group = `${world.namespace}.back.example.com`;
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const place = `/apis/${group}/v1/namespaces/${world.namespace}/widgets`;
  const status = async (path: string) => (await world.cluster.request('GET', path)).status;
  const install = async () => {
    const body = crd(group, 'Widget', 'widgets');
    await world.expect(201, 'POST', crds, { body, contentType: 'application/yaml' });
    await until(async () => (await status(place)) === 200, { what: 'the kind is served' });
  };
  await install();
  const team = await Team.ready(world, 'widgets', { 'w.yaml': manifest(`${group}/v1`, 'Widget', 'w') });
  await world.expect(200, 'DELETE', `${crds}/widgets.${group}`);
  await team.failure('w', 'KindNotFound');
  await install();
  await until(async () => (await status(`${place}/w`)) === 200, { what: 'the object is back' });
  await team.condition('Ready', 'True');
});

it('a kind that comes back in another scope has its objects applied there', async () => {
  const group = `${world.namespace}.scope.example.com`;
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const install = async (scope: string) => {
    const body = crd(group, 'Gadget', 'gadgets').replace('scope: Namespaced', `scope: ${scope}`);
    await world.expect(201, 'POST', crds, { body, contentType: 'application/yaml' });
  };
  const isThere = (place: string) => async () =>
    (await world.cluster.request('GET', `/apis/${group}/v1/${place}gadgets/g`)).status === 200;
  await install('Namespaced');
  const team = await Team.ready(world, 'gadgets', { 'g.yaml': manifest(`${group}/v1`, 'Gadget', 'g') });
  for (const [scope, place] of [
    ['Cluster', ''],
    ['Namespaced', `namespaces/${world.namespace}/`],
  ] as const) {
    await world.expect(200, 'DELETE', `${crds}/gadgets.${group}`);
    await until(async () => (await world.cluster.request('GET', `${crds}/gadgets.${group}`)).status === 404);
    await install(scope);
    await until(isThere(place), { what: `the object is there, ${scope}`, timeoutMs: 30_000 });
    await team.condition('Ready', 'True');
  }
});

it('a kind of the whole cluster may be installed after its objects were committed', async () => {
  const group = `${world.namespace}.late.example.com`;
  const place = `/apis/${group}/v1/issuers/i`;
  const size = async () => {
    const { status, body } = await world.cluster.request('GET', place);
    return status === 200 ? (body['spec'] as { size: number }).size : undefined;
  };
  const issuer = manifest(`${group}/v1`, 'Issuer', 'i', { spec: { size: 1 } });
  const team = await Team.create(world, 'issuers', { 'i.yaml': issuer });
  await team.failure('i', 'KindNotFound');
  const body = crd(group, 'Issuer', 'issuers').replace('scope: Namespaced', 'scope: Cluster');
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await world.expect(201, 'POST', crds, { body, contentType: 'application/yaml' });
  await until(async () => (await size()) === 1, { what: 'the object is there', timeoutMs: 30_000 });
  await team.condition('Ready', 'True');
  await world.expect(200, 'PATCH', `${place}?fieldManager=kubectl-edit`, { body: { spec: { size: 2 } } });
  await until(async () => (await size()) === 1, { what: 'the edit is healed', timeoutMs: 30_000 });
});
