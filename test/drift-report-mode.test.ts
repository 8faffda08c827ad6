// drift.mode Report: said, with who did it, and nothing is written, until the mode is Heal or a commit changes that object.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { World } from './operator.ts';
import { config, dataOf, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const files = () => ({ 'a.yaml': config('a'), 'b.yaml': config('b'), 'c.yaml': config('c'), 'd.yaml': config('d') });
type Shown = NonNullable<GitOpsSourceStatus['drift']>['objects'][number];

async function reported(names: string[], team = 'app'): Promise<Map<string, Shown>> {
  return until(
    async () => {
      const { drift } = (await world.source(team))?.status ?? {};
      const objects = (drift?.objects ?? []).filter(({ action }) => action === 'Reported');
      const found = new Map(objects.map((object) => [object.name, object]));
      const isWhole = drift?.count === names.length && found.size === names.length;
      return isWhole && names.every((name) => found.has(name)) && found;
    },
    { what: `drift of exactly ${names.join(', ')} is reported` },
  );
}

describe('drift.mode Report', () => {
  it('explains what others did and leaves it, also after a restart, until it is switched to Heal', async () => {
    await world.repository.write(files());
    await world.createSource({ drift: { mode: 'Report' } });
    await world.condition('Ready', 'True');
    await world.edit('v1/configmaps/a', { data: { key: 'edited' } }, 'somebody');
    await world.expect(200, 'DELETE', world.path('v1/configmaps/b'));
    await world.edit('v1/configmaps/c', { metadata: { labels: null } });
    const first = await reported(['a', 'b', 'c']);
    const { time, since, ...field } = first.get('a')!.fields[0]!;
    assert.ok(time && since);
    const change = { path: '/data/key', declared: 'value', live: 'edited', manager: 'somebody', operation: 'Update' };
    assert.deepEqual(field, { ...change, action: 'Reported' });
    const { since: missed, ...gone } = first.get('b')!.fields[0]!;
    assert.ok(missed);
    assert.deepEqual(gone, { path: '/', declared: 'present', operation: 'Removed', action: 'Reported' });
    assert.equal(first.get('c')!.fields[0]?.path, '/metadata/labels');
    const drifted = await world.condition('Drifted', 'True', { reason: 'DriftDetected' });
    assert.equal(drifted.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');

    await world.push({ 'd.yaml': config('d', { key: 'second' }) });
    assert.deepEqual(await dataOf(world, 'd'), { key: 'second' });
    assert.deepEqual(await reported(['a', 'b', 'c']), first, 'a commit about another object changes nothing');
    await world.patchSource({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'now' } } });
    await until(async () => (await world.source())?.status?.lastHandledReconcileAt === 'now');
    assert.deepEqual(await reported(['a', 'b', 'c']), first, 'nor does a look at everything');
    const before = await world.operator.stop();
    assert.equal(before, 0);
    const writes = world.operator.writes.filter((line) => !line.startsWith('created'));
    assert.deepEqual(writes, [`configured ConfigMap ${world.namespace}/d`]);

    // While nobody watches: another edit, and one of the first is undone.
    await world.edit('v1/configmaps/d', { data: { key: 'later' } });
    world.startOperator();
    const second = await reported(['a', 'b', 'c', 'd']);
    assert.deepEqual(second.get('a'), first.get('a'));
    assert.deepEqual(second.get('b'), first.get('b'));
    assert.deepEqual(second.get('c'), first.get('c'));
    assert.equal(second.get('d')!.fields[0]?.live, 'later');
    await world.edit('v1/configmaps/a', { data: { key: 'value' } }, 'somebody');
    await reported(['b', 'c', 'd']);
    await world.edit('v1/configmaps/a', { data: { key: 'again' } }, 'somebody');
    await reported(['a', 'b', 'c', 'd']);
    assert.deepEqual(world.operator.writes, []);

    await world.patchSource({ spec: { drift: { mode: 'Heal' } } });
    await present(world, 'b');
    await until(async () => (await dataOf(world, 'a'))?.['key'] === 'value');
    await until(async () => (await dataOf(world, 'd'))?.['key'] === 'second');
    await world.condition('Drifted', 'False', { reason: 'InSync' });
    const told = world.operator.lines.filter(({ audit }) => audit);
    assert.deepEqual(told.map(({ action, object }) => `${action} ${(object as { name: string }).name}`).sort(), [
      'healed a',
      'healed c',
      'healed d',
      'recreated b',
    ]);
  });

  it('what is put back by hand is no drift any more, also where the server adds defaults to it', async () => {
    const ports = [
      { name: 'web', port: 80 },
      { name: 'admin', port: 81 },
    ];
    const drift = { mode: 'Report' as const };
    const team = await Team.ready(
      world,
      'back',
      { 'a.yaml': manifest('v1', 'Service', 'back-a', { spec: { ports } }) },
      { drift },
    );
    const edit = (operation: object) =>
      world.expect(200, 'PATCH', `${world.path('v1/services/back-a')}?fieldManager=somebody`, {
        body: [operation],
        contentType: 'application/json-patch+json',
      });
    await edit({ op: 'remove', path: '/spec/ports/1' });
    const shown = (await reported(['back-a'], 'back')).get('back-a')!;
    assert.deepEqual(
      shown.fields.map(({ path }) => path),
      ['/spec/ports[port=81]'],
    );
    await edit({ op: 'add', path: '/spec/ports/0', value: ports[1] });
    await reported([], 'back');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('a commit that changes the object ends its drift', async () => {
    const team = await Team.ready(world, 'ended', { 'x.yaml': config('ended-x') }, { drift: { mode: 'Report' } });
    await world.edit('v1/configmaps/ended-x', { data: { key: 'edited', other: 'mine' } });
    await reported(['ended-x'], 'ended');
    await team.push({ 'x.yaml': config('ended-x', { key: 'new' }) });
    assert.deepEqual(await dataOf(world, 'ended-x'), { key: 'new', other: 'mine' });
    await team.condition('Drifted', 'False');
  });

  it('a commit that comes while the operator is down leaves what it does not touch', async () => {
    const team = await Team.ready(
      world,
      'down',
      { 'x.yaml': config('down-x'), 'y.yaml': config('down-y'), 'z.yaml': config('down-z') },
      { drift: { mode: 'Report' } },
    );
    await world.operator.stop();
    for (const name of ['down-x', 'down-y'])
      await world.edit(`v1/configmaps/${name}`, { data: { key: 'edited' } }, 'somebody');
    await team.commit({ 'y.yaml': config('down-y', { key: 'new' }), 'z.yaml': config('down-z', { key: 'new' }) });
    world.startOperator();
    await until(async () => (await dataOf(world, 'down-z'))?.['key'] === 'new');
    await reported(['down-x'], 'down');
    assert.equal((await dataOf(world, 'down-x'))?.['key'], 'edited');
    assert.equal((await dataOf(world, 'down-y'))?.['key'], 'new');
  });

  it('shows no values when drift.values is Hide, and hashes when it is Hash', async () => {
    const look = async (name: string, values: 'Hide' | 'Hash') => {
      await Team.ready(world, name, { 'x.yaml': config(`${name}-x`) }, { drift: { mode: 'Report', values } });
      await world.edit(`v1/configmaps/${name}-x`, { data: { key: 'edited' } });
      return (await reported([`${name}-x`], name)).get(`${name}-x`)!.fields[0]!;
    };
    const [hidden, hashed] = await Promise.all([look('hide', 'Hide'), look('hash', 'Hash')]);
    assert.deepEqual([hidden.declared, hidden.live], ['***', '***']);
    assert.match(hashed.live!, /^sha256:[0-9a-f]{16} \(6 bytes\)$/);
  });

  it('drift.values holds for what was told before it was set, also while the operator was down', async () => {
    const shown = async (team: Team) => JSON.stringify(await team.status());
    const files = { 'x.yaml': config('later-x'), 'y.yaml': config('later-y') };
    const team = await Team.ready(world, 'later', files);
    await world.edit('v1/configmaps/later-x', { data: { key: 'canary-healed' } });
    await until(async () => /canary-healed/.test(await shown(team)));
    await team.patch({ spec: { drift: { mode: 'Report', foreignFields: 'Report' } } });
    await team.condition('Ready', 'True');
    await world.edit('v1/configmaps/later-y', { data: { key: 'canary-open', other: 'canary-beside' } });
    await until(async () => /canary-open.*canary-beside/.test(await shown(team)));
    await team.patch({ spec: { drift: { values: 'Hide' } } });
    await until(async () => !/canary/.test(await shown(team)), { what: 'no value is shown any more' });
    await team.patch({ spec: { drift: { values: 'Show' } } });
    await until(async () => /canary-open.*canary-beside/.test(await shown(team)), {
      what: 'what differs is shown again',
    });

    await world.operator.stop();
    await team.patch({ spec: { drift: { values: 'Hash' } } });
    world.startOperator();
    await until(async () => !/canary/.test(await shown(team)), { what: 'no value is shown any more' });
  });
});
