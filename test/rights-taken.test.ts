// The platform team takes rights of the operator away while it runs, and gives them back.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { sharedCluster, type Cluster } from './cluster.ts';
import { tcpProxy, type TcpProxy } from './kube-tcp-proxy.ts';
import { World } from './operator.ts';
import { OPERATOR_LOOKS, wideRights, type WideRights } from './rights.ts';
import { config, dataOf, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

const LOOKS_AT_CONFIG_MAPS = OPERATOR_LOOKS.filter(({ resources }) => resources.includes('configmaps'));
const OTHERS = OPERATOR_LOOKS.filter((rule) => !LOOKS_AT_CONFIG_MAPS.includes(rule));

let cluster: Cluster;
let proxy: TcpProxy;
let world: World;
let rights: WideRights;
before(async () => {
  cluster = await sharedCluster();
  proxy = await tcpProxy(cluster.url);
  rights = await wideRights(cluster, OPERATOR_LOOKS);
  const via = { url: proxy.url, caFile: cluster.caFile };
  world = await World.create({ cluster, token: rights.token, via });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await rights[Symbol.asyncDispose]();
});

const service = (name: string) => manifest('v1', 'Service', name, { spec: { ports: [{ port: 80 }] } });

it('a kind that is watched may be listed no more: its drift is told as unknown, nothing is pruned, and what happened is found when it may again', async () => {
  const team = await Team.ready(world, 'app', { 'a.yaml': config('a'), 'b.yaml': config('b'), 's.yaml': service('s') });
  await team.condition('Drifted', 'False');
  await rights.set(OTHERS, LOOKS_AT_CONFIG_MAPS);
  // The API server lets an open watch live on.
  proxy.reset();
  const { status } = await team.condition('Drifted', 'Unknown');
  const { message } = status!.conditions!.find(({ type }) => type === 'Drifted')!;
  assert.match(message, /^ConfigMap \(v1\) cannot be listed or watched now/);
  assert.match(message, /cannot (list|watch) resource "configmaps"/);

  await world.edit('v1/configmaps/a', { data: { key: 'edited' } });
  await team.push({ 'b.yaml': null, 't.yaml': service('t') });
  await team.condition('Drifted', 'Unknown');
  await present(world, 'b');
  assert.deepEqual(await dataOf(world, 'a'), { key: 'edited' });

  await rights.set(OPERATOR_LOOKS);
  await until(async () => (await dataOf(world, 'a'))?.['key'] === 'value', { what: 'the edit is healed' });
  await present(world, 'b', false);
  await team.condition('Drifted', 'False');
});
