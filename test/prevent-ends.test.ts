// drift.mode Prevent ends when its source says so; and nobody is locked out by it, with an operator or without.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { readAudit } from './audit.ts';
import type { Cluster } from './cluster.ts';
import type { World } from './operator.ts';
import {
  editorOf,
  effective,
  guarded,
  guardIn,
  guardPath,
  made,
  preventCluster,
  preventWorld,
  refused,
} from './prevent.ts';
import { config, dataOf, deployment, Team } from './team.ts';
import { until } from './until.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
let cluster: Cluster;
before(async () => void (cluster = await preventCluster({ audit: true })));
after(() => cluster.stop());

const mode = (team: Team, value: 'Heal' | 'Prevent') => team.patch({ spec: { drift: { mode: value } } });
/** Is let through in the end: the API server takes up a change of the source a moment after it is stored. */
async function edit(world: World, name: string, value: string): Promise<void> {
  const path = `${world.path(`v1/configmaps/${name}`)}?fieldManager=by-${value}`;
  const isTaken = async () => (await cluster.request('PATCH', path, { body: { data: { key: value } } })).status === 200;
  await until(isTaken, { what: `an edit of ${name} is let through` });
}

/** What is edited is put back: drift is healed as ever. */
async function healed(world: World, name: string, value: string): Promise<void> {
  await edit(world, name, value);
  await until(async () => (await dataOf(world, name))?.['key'] === 'value', { what: `${name} is healed` });
}

/** Lets nobody write the guards of the world. */
async function locked(world: World): Promise<{ end: () => Promise<void> }> {
  const metadata = { name: `locked-${world.namespace}` };
  const rule = { apiGroups: ['plumbline.dev'], apiVersions: ['*'], operations: ['*'], resources: ['driftguards'] };
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': world.namespace } };
  const spec = {
    matchConstraints: { resourceRules: [rule], namespaceSelector },
    validations: [{ expression: 'false' }],
  };
  const binding = { policyName: metadata.name, validationActions: ['Deny'] };
  await world.expect(201, 'POST', `${ADMISSION}/validatingadmissionpolicies`, { body: { metadata, spec } });
  await world.expect(201, 'POST', `${ADMISSION}/validatingadmissionpolicybindings`, {
    body: { metadata, spec: binding },
  });
  const touch = { body: { metadata: { annotations: { touched: 'x' } } } };
  const isLocked = async () => (await cluster.request('PATCH', `${guardPath(world)}?dryRun=All`, touch)).status !== 200;
  await until(isLocked, { what: 'guards cannot be written' });
  const end = async () => {
    await world.expect(200, 'DELETE', `${ADMISSION}/validatingadmissionpolicybindings/${metadata.name}`);
    await world.expect(200, 'DELETE', `${ADMISSION}/validatingadmissionpolicies/${metadata.name}`);
    await until(async () => !(await isLocked()), { what: 'guards can be written' });
  };
  return { end };
}

describe('with the operator', () => {
  let world: World;
  before(async () => void (world = await preventWorld(cluster)));
  after(() => world[Symbol.asyncDispose]());

  it('Heal: at once; policies, bindings and guards go with the last source', async () => {
    const files = (name: string) => ({ 'a.yaml': config(name), 'b.yaml': deployment(name) });
    const one = await guarded(world, 'one', files('one'));
    const two = await guarded(world, 'two', files('two'));
    await effective(world, 'v1/configmaps/one');
    const { namespace } = world;
    const [policies, bindings] = [await made(world, 'policies'), await made(world, 'bindings')];
    assert.deepEqual(policies, [`plumbline-prevent-scale.${namespace}`, `plumbline-prevent.${namespace}`]);
    assert.equal(bindings.length, 4);
    assert.deepEqual(Object.keys((await guardIn(world))!.sources).sort(), [`${namespace}/one`, `${namespace}/two`]);
    await mode(one, 'Heal');
    await healed(world, 'one', 'free');
    assert.deepEqual(Object.keys((await guardIn(world))!.sources), [`${namespace}/two`]);
    assert.deepEqual(await made(world, 'bindings'), bindings);
    assert.equal((await one.condition('Ready', 'True')).status!.conditions!.some(isPrevented), false);
    await two.delete();
    for (const what of ['policies', 'bindings', 'guards'] as const)
      await until(async () => (await made(world, what)).length === 0, { what: `${what} are removed` });
  });

  it('Heal, while Git does not answer and the source has no new commit: at once all the same', async () => {
    const team = await guarded(world, 'gitless', { 'a.yaml': config('gitless') });
    await effective(world, 'v1/configmaps/gitless');
    await team.patch({ spec: { url: 'http://127.0.0.1:9/none.git', drift: { mode: 'Heal' } } });
    await edit(world, 'gitless', 'free');
  });

  it('Heal, and the guard cannot be written at first: as soon as it can', async () => {
    const team = await guarded(world, 'held', { 'a.yaml': config('held') });
    await guarded(world, 'beside', { 'a.yaml': config('beside') });
    await effective(world, 'v1/configmaps/held');
    const lock = await locked(world);
    await mode(team, 'Heal');
    await until(() => world.operator.lines.some(({ msg }) => msg?.includes('cannot be loosened')), {
      what: 'it is refused',
    });
    await refused(world, 'DELETE', world.path('v1/configmaps/held'));
    await lock.end();
    await until(async () => {
      await team.annotate({ 'plumbline.dev/requestedAt': String(performance.now()) });
      return (await cluster.request('DELETE', world.path('v1/configmaps/held'))).status === 200;
    });
  });

  it('the policies go after the last guard: by them the next operator finds what is left', async () => {
    await using own = await preventWorld(cluster);
    const team = await guarded(own, 'last', { 'a.yaml': config('last') });
    const lock = await locked(own);
    await mode(team, 'Heal');
    const isRefused = () => own.operator.lines.some(({ msg }) => msg?.includes('cannot be loosened'));
    await until(isRefused, { what: 'the guard cannot be removed' });
    assert.equal((await made(own, 'policies')).length, 2);
    await own.operator.stop('SIGKILL');
    await lock.end();
    own.startOperator();
    await until(async () => (await guardIn(own)) === undefined, { what: 'the guard is gone', timeoutMs: 60_000 });
    await until(async () => (await made(own, 'policies')).length === 0, { what: 'the policies are gone' });
  });

  it('suspended: nothing is refused; afterwards it is again', async () => {
    const team = await guarded(world, 'paused', { 'a.yaml': config('paused') });
    await effective(world, 'v1/configmaps/paused');
    await team.patch({ spec: { suspend: true } });
    await team.condition('DriftPrevented', 'False', { reason: 'Suspended' });
    await edit(world, 'paused', 'hand');
    await team.patch({ spec: { suspend: false } });
    await team.condition('DriftPrevented', 'True');
    await until(async () => (await dataOf(world, 'paused'))?.['key'] === 'value');
    await effective(world, 'v1/configmaps/paused');
    await refused(world, 'PATCH', world.path('v1/configmaps/paused'), { body: { data: { key: 'other' } } });
  });

  it('deleted with deletionPolicy Orphan: what stays is anybody’s', async () => {
    const team = await guarded(world, 'orphan', { 'a.yaml': config('orphan') }, { deletionPolicy: 'Orphan' });
    await effective(world, 'v1/configmaps/orphan');
    await team.delete();
    await team.gone();
    await edit(world, 'orphan', 'free');
    await world.expect(200, 'DELETE', world.path('v1/configmaps/orphan'));
  });

  it('a binding, a policy or a guard that somebody removes or changes is made again', async () => {
    await guarded(world, 'tampered', { 'a.yaml': config('tampered') });
    await effective(world, 'v1/configmaps/tampered');
    const binding = `plumbline-prevent.${world.namespace}`;
    const path = `${ADMISSION}/validatingadmissionpolicybindings/${binding}`;
    await world.expect(200, 'PATCH', path, { body: { spec: { validationActions: ['Audit'] } } });
    const actions = async () => {
      const { spec } = (await world.expect(200, 'GET', path)) as unknown as { spec: { validationActions: string[] } };
      return spec.validationActions.join();
    };
    await until(async () => (await actions()).includes('Deny'));
    await world.expect(200, 'DELETE', path);
    await until(async () => (await made(world, 'bindings')).includes(binding));
    const policy = `plumbline-prevent.${world.namespace}`;
    await world.expect(200, 'DELETE', `${ADMISSION}/validatingadmissionpolicies/${policy}`);
    await until(async () => (await made(world, 'policies')).includes(policy));
    const told = await guardIn(world);
    await world.expect(200, 'PATCH', guardPath(world), { body: { spec: { objects: {}, sources: { a: null } } } });
    const isBack = async () => isDeepStrictEqual(await guardIn(world), told);
    await until(isBack, { what: 'the guard says again what it said' });
    await world.expect(200, 'DELETE', guardPath(world));
    await until(isBack, { what: 'the guard is there again' });
    await effective(world, 'v1/configmaps/tampered');
  });

  it('more than one guard can hold: nothing is refused, and it says so; with less it is again', async () => {
    await using other = await preventWorld(cluster);
    const names = (of: number) => Array.from({ length: 1_024 }, (_, index) => `${of}-${index}-`.padEnd(126, 'x'));
    const rules = (of: number) =>
      Array.from({ length: 32 }, (_, rule) => ({
        paths: ['/data/ignored'],
        managers: names(of).slice(rule * 32, rule * 32 + 32),
      }));
    const large = (of: number) =>
      Team.ready(
        other,
        `large-${of}`,
        { 'a.yaml': config(`large-${of}`) },
        { drift: { mode: 'Prevent', ignore: rules(of) } },
      );
    const first = await large(0);
    await effective(other, 'v1/configmaps/large-0');
    const more = await Promise.all(Array.from({ length: 10 }, (_, index) => large(index + 1)));
    const isTooLarge = async (team: Team) =>
      (await other.source(team.name))?.status?.conditions?.some(({ reason }) => reason === 'GuardTooLarge');
    const last = await until(async () => {
      for (const team of more) if (await isTooLarge(team)) return team;
      return undefined;
    });
    await healed(other, 'large-0', 'free');
    await last.patch({ spec: { drift: { mode: 'Heal', ignore: null } } });
    await effective(other, 'v1/configmaps/large-0');
    await first.annotate({ 'plumbline.dev/requestedAt': 'now' });
    await first.condition('DriftPrevented', 'True');
  });

  it('a namespace in which the platform does not allow it: said, and healed', async () => {
    await using other = await preventWorld(cluster, { args: ['--prevent-namespaces=platform-*,shop'] });
    const team = await Team.ready(other, 'app', { 'a.yaml': config('a') }, { drift: { mode: 'Prevent' } });
    const { status } = await team.condition('DriftPrevented', 'False', { reason: 'PreventNotAllowed' });
    assert.match(status!.conditions!.find(isPrevented)!.message, /--prevent-namespaces.* healed instead/);
    await healed(other, 'a', 'free');
    assert.deepEqual(await made(other, 'policies'), []);
  });
});

const isPrevented = ({ type }: { type: string }) => type === 'DriftPrevented';

describe('without the operator', () => {
  let world: World;
  let team: Team;
  before(async () => {
    world = await preventWorld(cluster);
    team = await guarded(world, 'app', { 'a.yaml': config('a'), 'b.yaml': config('b'), 'web.yaml': deployment('web') });
    await effective(world, 'v1/configmaps/a');
    await world.operator.stop('SIGKILL');
  });
  after(() => world[Symbol.asyncDispose]());

  it('it goes on refusing, and the group in an emergency passes', async () => {
    await refused(world, 'PATCH', world.path('v1/configmaps/a'), { body: { data: { key: 'other' } } });
    const token = cluster.tokens['ann']!;
    await world.expect(200, 'PATCH', world.path('v1/configmaps/b'), { body: { data: { key: 'urgent' } }, token });
  });

  it('who may edit the source opens an object, another may not', async () => {
    const path = world.path('v1/configmaps/b');
    const open = { body: { metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } } } };
    await refused(world, 'PATCH', path, { ...open, token: await editorOf(world) });
    await world.expect(200, 'PATCH', path, open);
    await world.expect(200, 'DELETE', path);
  });

  it('without its guard a namespace is open; the policies can be deleted, too', async () => {
    await world.expect(200, 'DELETE', guardPath(world));
    await until(async () => (await cluster.request('DELETE', world.path('v1/configmaps/a'))).status === 200);
    const scale = `${world.path('apps/v1/deployments/web')}/scale`;
    await world.expect(200, 'PATCH', scale, { body: { spec: { replicas: 3 } } });
    for (const name of ['plumbline-prevent', 'plumbline-prevent-scale'])
      await world.expect(200, 'DELETE', `${ADMISSION}/validatingadmissionpolicies/${name}.${world.namespace}`);
    const binding = `plumbline-prevent.${world.namespace}`;
    await world.expect(200, 'DELETE', `${ADMISSION}/validatingadmissionpolicybindings/${binding}`);
  });

  it('an operator that comes back makes them again and heals; the one after it has nothing to send', async () => {
    world.startOperator();
    await until(async () => (await dataOf(world, 'a'))?.['key'] === 'value');
    await effective(world, 'v1/configmaps/a');
    await until(async () => (await made(world, 'policies')).length === 2);
    assert.equal((await made(world, 'bindings')).length, 4);
    await world.operator.stop();
    const sent = () =>
      readAudit(cluster, 'operator').filter(
        ({ objectRef, verb }) =>
          (objectRef?.apiGroup === 'admissionregistration.k8s.io' || objectRef?.resource === 'driftguards') &&
          !['list', 'watch', 'get'].includes(verb),
      ).length;
    const before = sent();
    world.startOperator();
    for (const token of ['after', 'again']) {
      await team.annotate({ 'plumbline.dev/requestedAt': token });
      await until(async () => (await team.status()).lastHandledReconcileAt === token);
    }
    assert.equal(sent(), before);
    await refused(world, 'DELETE', world.path('v1/configmaps/a'));
  });

  it('what a source asked for no more while nobody watched is removed: it was set to Heal, or deleted', async () => {
    const other = await guarded(world, 'other', { 'a.yaml': config('d') });
    await world.operator.stop('SIGKILL');
    await mode(other, 'Heal');
    await team.patch({ metadata: { finalizers: null } });
    await team.delete();
    await team.gone();
    await refused(world, 'DELETE', world.path('v1/configmaps/a'));
    world.startOperator();
    await edit(world, 'a', 'free');
    await edit(world, 'd', 'free');
    for (const what of ['policies', 'bindings', 'guards'] as const)
      await until(async () => (await made(world, what)).length === 0, { what: `${what} are removed` });
  });
});
