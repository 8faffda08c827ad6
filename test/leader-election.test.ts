// Two replicas: exactly one acts. The other takes over when the first dies, at once when it ends in order, and a replica that
// was frozen past its lease writes nothing when it wakes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readAudit } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { ApiProxy } from './faults/proxy.ts';
import { Operator, World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

/** The lease runs out after 15 s. */
const TAKEOVER = { timeoutMs: 60_000 };

let cluster: Cluster;
before(async () => void (cluster = await startCluster({ audit: true })));
after(() => cluster.stop());

function replica(world: World, name: string, token: string): Operator {
  return Operator.start(cluster, {
    namespace: world.namespace,
    token,
    args: ['--leader-elect=true'],
    env: { POD_NAME: name, POD_UID: `uid-of-${name}` },
  });
}

/** A world whose first operator is the replica `one`, leading. */
async function createWorld(): Promise<World> {
  const env = { POD_NAME: 'one', POD_UID: 'uid-of-one' };
  const world = await World.create({ cluster, args: ['--leader-elect=true'], env });
  await until(() => acts(world.operator), { what: 'the first replica leads' });
  return world;
}

const acts = ({ lines }: Operator) => lines.some(({ msg }) => msg === 'this replica acts');
const standsBy = ({ lines }: Operator) => lines.some(({ msg }) => msg === 'another replica acts; standing by');

/** What a user wrote, leases aside. */
const writesOf = (world: World, user: string) =>
  readAudit(cluster, user).filter(
    ({ verb, objectRef }) =>
      ['patch', 'create', 'update', 'delete'].includes(verb) &&
      objectRef?.resource !== 'leases' &&
      objectRef?.namespace === world.namespace,
  );

/** The replica that has the lease. */
async function holderIn(world: World): Promise<string | undefined> {
  const { body } = await cluster.request<{ spec: { holderIdentity?: string } }>(
    'GET',
    `/apis/coordination.k8s.io/v1/namespaces/${world.namespace}/leases/plumbline-operator`,
  );
  return body.spec.holderIdentity;
}

async function edit(world: World, name: string, value: string): Promise<void> {
  await world.edit(`v1/configmaps/${name}`, { data: { key: value } });
}

const isHealed = async (world: World, name: string) => (await dataOf(world, name))?.['key'] === 'value';

describe('two replicas', { concurrency: true }, () => {
  it('one acts; the other takes over after kill -9, and at once after a graceful stop', async () => {
    await using world = await createWorld();
    await using second = replica(world, 'two', cluster.tokens.driver);
    await until(() => standsBy(second));
    await Team.ready(world, 'pair', { 'a.yaml': config('pair-a') });
    await edit(world, 'pair-a', 'first');
    await until(() => isHealed(world, 'pair-a'));
    assert.deepEqual([second.writes, acts(second)], [[], false]);

    await world.operator.stop('SIGKILL');
    await edit(world, 'pair-a', 'second');
    await until(() => isHealed(world, 'pair-a'), TAKEOVER);
    assert.ok(acts(second));

    await using third = replica(world, 'three', cluster.tokens.operator);
    await until(() => standsBy(third));
    assert.equal(await second.stop(), 0);
    // Nobody has to wait for the 15 s after which it would have run out.
    assert.notEqual(await holderIn(world), 'uid-of-two');
    await until(() => acts(third));
    await edit(world, 'pair-a', 'third');
    await until(() => isHealed(world, 'pair-a'));
  });

  it('one that was frozen past its lease ends without a write', async () => {
    await using world = await createWorld();
    await Team.ready(world, 'frozen', { 'a.yaml': config('frozen-a'), 'b.yaml': config('frozen-b') });
    await using second = replica(world, 'two', cluster.tokens.driver);
    await until(() => standsBy(second));
    process.kill(world.operator.pid, 'SIGSTOP');
    await edit(world, 'frozen-a', 'edited');
    await until(() => isHealed(world, 'frozen-a'), TAKEOVER);
    assert.ok(acts(second));
    // It wakes up to events that it would have answered.
    for (let round = 0; round < 10; round += 1) await edit(world, 'frozen-b', `edit-${round}`);
    await until(() => isHealed(world, 'frozen-b'));
    // What it had sent before it was frozen has long been answered.
    const before = writesOf(world, 'operator').length;
    const ended = world.operator.ended();
    process.kill(world.operator.pid, 'SIGCONT');
    assert.equal(await ended, 1, 'so that its container starts anew');
    assert.deepEqual(writesOf(world, 'operator').slice(before), []);
    assert.ok(world.operator.lines.some(({ msg }) => msg === 'the lease was lost; starting over'));
  });

  it('one that was frozen with a commit half applied sends nothing of the rest', async () => {
    await using proxy = await ApiProxy.start(cluster);
    const env = { POD_NAME: 'one', POD_UID: 'uid-of-one' };
    await using world = await World.create({ cluster, args: ['--leader-elect=true'], env, via: proxy });
    await until(() => acts(world.operator), { what: 'the first replica leads' });
    await using second = replica(world, 'two', cluster.tokens.driver);
    await until(() => standsBy(second));
    const names = Array.from({ length: 100 }, (_, index) => `half-${index}`);
    const files = (key: string) => Object.fromEntries(names.map((name) => [`${name}.yaml`, config(name, { key })]));
    const team = await Team.ready(world, 'half', files('first'));
    // Most of the next writes wait for their turn, and in the moment of the signal none is about to be sent.
    proxy.arm({ on: ['write'], after: 0, times: Infinity, fault: { kind: 'slow', ms: 900 } });
    const revision = await team.commit(files('second'));
    const isUnderWay = async () => {
      const all = await Promise.all(names.map((name) => dataOf(world, name)));
      return all.some((data) => data?.['key'] === 'second');
    };
    await until(isUnderWay, { what: 'the first ones are written' });
    process.kill(world.operator.pid, 'SIGSTOP');
    await team.condition('Ready', 'True', { revision, ...TAKEOVER });
    assert.ok(acts(second));
    const before = writesOf(world, 'operator').length;
    const ended = world.operator.ended();
    process.kill(world.operator.pid, 'SIGCONT');
    assert.equal(await ended, 1);
    assert.deepEqual(writesOf(world, 'operator').slice(before), []);
  });

  it('one that cannot reach the API server for longer than its lease stops acting', async () => {
    await using own = await startCluster();
    const env = { POD_NAME: 'one', POD_UID: 'uid-of-one' };
    await using world = await World.create({ cluster: own, args: ['--leader-elect=true'], env });
    await Team.ready(world, 'cut', { 'a.yaml': config('cut-a') });
    own.freezeApiServer();
    assert.equal(await world.operator.ended(), 1);
    own.thawApiServer();
    world.startOperator();
    await edit(world, 'cut-a', 'edited');
    await until(() => isHealed(world, 'cut-a'), TAKEOVER);
  });
});
