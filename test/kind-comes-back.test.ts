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
