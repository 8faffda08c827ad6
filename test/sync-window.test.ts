// A commit outside its window waits: the one before it goes on being enforced, and the newest is applied when the window opens.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';
import { applied, closed, conditionOf, headOf, waiting, windowFor } from './windows.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

async function eventsOf(team: Team, reason: string): Promise<string[]> {
  const { body } = await world.cluster.request<{
    items: { reason: string; message: string; involvedObject: { name: string } }[];
  }>('GET', `/api/v1/namespaces/${world.namespace}/events`);
  const items = body.items.filter((event) => event.involvedObject.name === team.name && event.reason === reason);
  return items.map(({ message }) => message);
}

/** As `eventsOf`, when there is one: they are posted beside what they tell of. */
const posted = (team: Team, reason: string) =>
  until(
    async () => {
      const messages = await eventsOf(team, reason);
      return messages.length > 0 && messages;
    },
    { what: `an event ${reason} of ${team.name}` },
  );

const healed = (name: string, key: string) =>
  until(async () => (await dataOf(world, name))?.['key'] === key, { what: `${name} says ${key}`, timeoutMs: 30_000 });

describe('spec.windows for sync', () => {
  it('keeps a commit waiting, says until when and what it would do, and applies it when the window is gone', async () => {
    const files = { 'a.yaml': config('night-a'), 'b.yaml': config('night-b'), 'c.yaml': config('night-c') };
    const team = await Team.ready(world, 'night', files);
    const { lastAppliedRevision: standing } = await team.status();
    const { window, endsAt } = windowFor(6 * 3600, 'sync');
    await team.patch({ spec: { windows: [window] } });
    const commit = await team.commit({
      'a.yaml': config('night-a', { key: 'new' }),
      'b.yaml': null,
      'd.yaml': config('night-d'),
    });
    const source = await waiting(team, commit, 'WaitingForWindow');
    const { objects, findings, ...pending } = source.status!.pending!;
    const when = new Date(endsAt).toISOString().replace('.000Z', 'Z');
    const revision = `main@sha1:${commit}`;
    assert.deepEqual(pending, { revision, reason: 'WaitingForWindow', until: when, create: 1, configure: 1, prune: 1 });
    const common = { kind: 'ConfigMap', namespace: world.namespace };
    assert.deepEqual(objects, [
      { ...common, name: 'night-a', file: 'a.yaml', line: 1, action: 'configure' },
      { ...common, name: 'night-d', file: 'd.yaml', line: 1, action: 'create' },
      { ...common, name: 'night-b', action: 'prune' },
    ]);
    assert.deepEqual(findings, []);
    const ready = conditionOf(source, 'Ready');
    assert.deepEqual([ready.status, source.status?.lastAppliedRevision], ['True', standing]);
    for (const said of [standing!, when, 'plumbline.dev/syncNow'])
      assert.ok(ready.message.includes(said), `${ready.message} says ${said}`);
    assert.ok(conditionOf(source, 'Reconciling').message.includes(when));

    // Drift of the last good revision is healed meanwhile.
    await world.edit('v1/configmaps/night-a', { data: { key: 'by hand' } });
    await healed('night-a', 'value');
    await world.expect(200, 'DELETE', world.path('v1/configmaps/night-b'));
    await present(world, 'night-b');
    assert.equal(await dataOf(world, 'night-d'), undefined);

    await team.patch({ spec: { windows: null } });
    await applied(team, commit);
    await until(async () => (await team.status()).pending === undefined);
    assert.deepEqual(await dataOf(world, 'night-a'), { key: 'new' });
    await present(world, 'night-b', false);
    await present(world, 'night-d');
    const done = await team.source();
    assert.equal(conditionOf(done, 'Reconciling').status, undefined);
    assert.equal((await posted(team, 'WaitingForWindow')).length, 1);
  });

  it('applies it in the moment in which the window opens', async () => {
    const team = await Team.ready(world, 'dawn', { 'a.yaml': config('dawn-a') });
    // On a busy machine it takes some attempts until nothing but the window was waited for.
    for (let attempt = 1; ; attempt += 1) {
      const { window, endsAt } = windowFor(6, 'sync');
      await team.patch({ spec: { windows: [window] } });
      await team.condition('Ready', 'True');
      const name = `dawn-${attempt}`;
      await applied(team, await team.commit({ [`${name}.yaml`]: config(name) }));
      const { creationTimestamp } = (await world.get(`v1/configmaps/${name}`))!.metadata;
      const lateMs = Date.parse(creationTimestamp!) - endsAt;
      const what = `applied ${lateMs} ms after the window opened`;
      assert.ok(lateMs >= 0, what);
      if (lateMs <= 3_000) break;
      assert.ok(attempt < 6, what);
    }
  });

  it('keeps the first commit of a new source waiting; syncNow lets exactly that commit through, and says who set it', async () => {
    const team = await Team.create(world, 'fresh', { 'a.yaml': config('fresh-a') }, { windows: [closed('sync')] });
    const first = await headOf(team);
    const source = await waiting(team, first, 'WaitingForWindow');
    assert.deepEqual([source.status?.pending?.create, source.status?.lastAppliedRevision], [1, undefined]);
    assert.deepEqual(conditionOf(source, 'Ready').status, 'Unknown');
    await team.annotate({ 'plumbline.dev/requestedAt': 'look' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'look');
    await team.annotate({ 'plumbline.dev/approve': first });
    await waiting(team, first, 'WaitingForWindow');
    assert.equal(await dataOf(world, 'fresh-a'), undefined);

    await team.annotate({ 'plumbline.dev/syncNow': first });
    await applied(team, first);
    assert.ok(await dataOf(world, 'fresh-a'));
    const [audited] = world.operator.lines.filter(({ audit, annotation }) => audit && annotation !== undefined);
    assert.deepEqual(
      { source: audited?.['source'], annotation: audited?.['annotation'], revision: audited?.['revision'] },
      { source: team.key, annotation: 'plumbline.dev/syncNow', revision: `main@sha1:${first}` },
    );
    assert.ok(typeof audited?.['by'] === 'string' && audited['by'] !== 'somebody unknown');
    assert.equal((await posted(team, 'Released')).length, 1);

    const second = await team.commit({ 'a.yaml': config('fresh-a', { key: 'second' }) });
    await waiting(team, second, 'WaitingForWindow');
    assert.deepEqual(await dataOf(world, 'fresh-a'), { key: 'value' });
    // An edit of the source itself does not wait: whoever makes it could as well edit the windows.
    await team.patch({ spec: { commonMetadata: { labels: { team: 'shop' } } } });
    await until(async () => (await world.get('v1/configmaps/fresh-a'))?.metadata.labels?.['team'] === 'shop');
    assert.deepEqual(await dataOf(world, 'fresh-a'), { key: 'value' });
    await waiting(team, second, 'WaitingForWindow');
    await team.patch({ spec: { windows: null } });
    await applied(team, second);
    assert.deepEqual((await team.status()).lastReleasedRevision, undefined);
  });

  it('does not wait with a commit that changes nothing below the path', async () => {
    const team = await Team.ready(world, 'aside', { 'x/a.yaml': config('aside-a') }, { path: 'x' });
    await team.patch({ spec: { windows: [closed('sync')] } });
    await team.condition('Ready', 'True');
    const commit = await team.commit({ 'README.md': 'hello' });
    await applied(team, commit);
    assert.equal((await team.status()).pending, undefined);
  });

  it('suspend and deletion are for people, not for windows', async () => {
    const team = await Team.ready(world, 'leaving', { 'a.yaml': config('leaving-a') });
    await team.patch({ spec: { windows: [closed('sync'), closed('heal')] } });
    const commit = await team.commit({ 'b.yaml': config('leaving-b') });
    await waiting(team, commit, 'WaitingForWindow');
    await team.patch({ spec: { suspend: true } });
    await team.condition('Ready', 'True', { reason: 'Suspended' });
    await team.patch({ spec: { suspend: false } });
    await waiting(team, commit, 'WaitingForWindow');
    await team.delete();
    await team.gone();
    await present(world, 'leaving-a', false);
  });
});
