// The CRD may be of an older version than the operator, after a rollback say: the status is told all the same, without what it lacks.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { gitOpsSourceCrd } from '../src/api/crd.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
before(async () => void (cluster = await startCluster()));
after(() => cluster.stop());

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gitopssources.plumbline.dev';

it('a commit is applied and told', async () => {
  await using world = await World.create({ cluster });
  await world.createSource();
  await world.push({ 'a.yaml': config('a') });
  await world.operator.stop();
  const older = (key: string, value: unknown) => (key === 'lastAppliedGeneration' ? undefined : value);
  const { spec } = JSON.parse(JSON.stringify(gitOpsSourceCrd()), older) as { spec: object };
  await world.expect(200, 'PATCH', PATH, { body: { spec } });
  const status = `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources/app/status`;
  const body = { status: { lastAppliedGeneration: 7 } };
  const strict = () => cluster.request('PATCH', `${status}?fieldValidation=Strict&dryRun=All`, { body });
  await until(async () => (await strict()).status !== 200, { what: 'the field is not served any more' });
  world.startOperator();
  await world.push({ 'a.yaml': config('a', { key: 'new' }) });
  const said = world.operator.lines.filter(({ msg }) => msg === 'could not write the status');
  assert.deepEqual(said, []);
});
