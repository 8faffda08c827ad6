// How one object wants to be handled, said by its annotations in Git or on the live object.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const annotated = (name: string, what: string, value: string, data: Record<string, string> = { key: 'value' }) =>
  config(name, data, { annotations: { [`plumbline.dev/${what}`]: value } });

async function createByHand(name: string, data: Record<string, string>): Promise<void> {
  const path = `${world.path('v1/configmaps')}?fieldManager=kubectl-create`;
  await world.expect(201, 'POST', path, { body: { metadata: { name }, data } });
}

/** An edit of a managed object that is healed: whatever was edited before it has been judged by then. */
async function healsAnother(name: string): Promise<void> {
  await world.edit(`v1/configmaps/${name}`, { data: { key: 'edited' } });
  await until(async () => (await dataOf(world, name))?.['key'] === 'value', { what: `${name} is healed` });
}

describe('annotations', { concurrency: true }, () => {
  it('reconcile: disabled in Git: is neither created, changed nor healed', async () => {
    const team = await Team.ready(world, 'off', { 'a.yaml': config('off-a'), 'b.yaml': config('off-b') });
    await team.push({
      'a.yaml': annotated('off-a', 'reconcile', 'disabled', { key: 'new' }),
      'c.yaml': annotated('off-c', 'reconcile', 'disabled'),
    });
    await world.edit('v1/configmaps/off-a', { data: { key: 'by hand' } });
    await healsAnother('off-b');
    assert.deepEqual(await dataOf(world, 'off-a'), { key: 'by hand' });
    assert.equal(await dataOf(world, 'off-c'), undefined);
    await team.push({ 'a.yaml': config('off-a', { key: 'new' }) });
    assert.deepEqual(await dataOf(world, 'off-a'), { key: 'new' });
  });

  it('reconcile: disabled on the live object: is left alone until the annotation goes', async () => {
    const team = await Team.ready(world, 'hands', { 'a.yaml': config('hands-a'), 'b.yaml': config('hands-b') });
    await world.edit('v1/configmaps/hands-a', {
      metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } },
      data: { key: 'by hand' },
    });
    await team.push({ 'a.yaml': config('hands-a', { key: 'newer' }) });
    await healsAnother('hands-b');
    assert.deepEqual(await dataOf(world, 'hands-a'), { key: 'by hand' });
    await world.edit('v1/configmaps/hands-a', { metadata: { annotations: { 'plumbline.dev/reconcile': null } } });
    await until(async () => (await dataOf(world, 'hands-a'))?.['key'] === 'newer');
  });

  it('ssa: Merge keeps what others declared before', async () => {
    await createByHand('merge-a', { key: 'before', extra: 'x' });
    await Team.ready(world, 'merge', { 'a.yaml': annotated('merge-a', 'ssa', 'Merge') });
    assert.deepEqual(await dataOf(world, 'merge-a'), { key: 'value', extra: 'x' });
  });

  it('ssa: Override, the default, takes it away', async () => {
    await createByHand('over-a', { key: 'before', extra: 'x' });
    await Team.ready(world, 'over', { 'a.yaml': annotated('over-a', 'ssa', 'Override') });
    assert.deepEqual(await dataOf(world, 'over-a'), { key: 'value' });
  });

  it('ssa: IfNotPresent creates what is missing, and never changes what is there', async () => {
    await createByHand('once-there', { key: 'before' });
    const team = await Team.ready(world, 'once', {
      'a.yaml': annotated('once-there', 'ssa', 'IfNotPresent'),
      'b.yaml': annotated('once-new', 'ssa', 'IfNotPresent'),
      'c.yaml': config('once-c'),
    });
    assert.deepEqual(await dataOf(world, 'once-there'), { key: 'before' });
    assert.deepEqual(await dataOf(world, 'once-new'), { key: 'value' });
    await world.edit('v1/configmaps/once-new', { data: { key: 'by hand' } });
    await team.push({ 'b.yaml': annotated('once-new', 'ssa', 'IfNotPresent', { key: 'newer' }) });
    await healsAnother('once-c');
    assert.deepEqual(await dataOf(world, 'once-new'), { key: 'by hand' });
    const { drift } = await team.status();
    assert.deepEqual(
      drift?.objects.filter(({ name }) => name === 'once-new'),
      [],
      'it is no drift either',
    );
    await world.expect(200, 'DELETE', world.path('v1/configmaps/once-new'));
    await until(async () => (await dataOf(world, 'once-new'))?.['key'] === 'newer');
    await team.push({ 'a.yaml': null, 'b.yaml': null });
    await present(world, 'once-new', false);
    await present(world, 'once-there');
  });

  it('ssa: Ignore does nothing at all', async () => {
    await createByHand('ignore-a', { key: 'before' });
    const team = await Team.ready(world, 'ignore', {
      'a.yaml': annotated('ignore-a', 'ssa', 'Ignore'),
      'b.yaml': annotated('ignore-b', 'ssa', 'Ignore'),
      'c.yaml': config('ignore-c'),
    });
    assert.deepEqual(await dataOf(world, 'ignore-a'), { key: 'before' });
    assert.equal(await dataOf(world, 'ignore-b'), undefined);
    assert.equal((await team.status()).inventory?.count, 1);
  });

  it('an unknown value stops the revision, with the place in Git', async () => {
    const team = await Team.create(world, 'typo', { 'a.yaml': annotated('typo-a', 'prune', 'no') });
    const { status } = await team.condition('Ready', 'False', { reason: 'InvalidAnnotation' });
    assert.match(
      status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '',
      /a\.yaml:1: .*plumbline\.dev\/prune/,
    );
  });
});
