// Declaring what belongs to others gives no power over it: neither to keep them from making it, nor from deleting it, nor
// to learn whether it exists.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { World } from './operator.ts';
import { config, manifest } from './team.ts';
import { installedWorld, Tenant } from './tenancy.ts';
import { until } from './until.ts';

let world: World;
let attacker: Tenant;
let victim: Tenant;
before(async () => {
  world = await installedWorld();
  [attacker, victim] = await Promise.all([Tenant.create(world, 'attacker'), Tenant.create(world, 'victim')]);
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await world.cluster.stop();
});

/** A ConfigMap of the victim's namespace, as the attacker declares it. */
const theirs = (name: string, annotations: Record<string, string> = {}) =>
  config(name, { by: 'attacker' }, { namespace: victim.namespace, annotations });

describe('declared first by a team that may not write it', { concurrency: true }, () => {
  const HOSTAGES = {
    'never written': { annotations: { 'plumbline.dev/ssa': 'Ignore' }, ready: 'True' },
    'not reconciled': { annotations: { 'plumbline.dev/reconcile': 'disabled' }, ready: 'True' },
    'refused by the API server': { annotations: {}, ready: 'False' },
    'by an account that does not exist': { annotations: {}, ready: 'False', spec: { serviceAccountName: 'nobody' } },
  };
  for (const [index, [what, { annotations, ready, ...more }]] of Object.entries(HOSTAGES).entries()) {
    it(`an object is free for its owner (${what})`, async () => {
      const name = `hostage-${index}`;
      const spec = 'spec' in more ? more.spec : {};
      const claim = await attacker.source(name, { 'a.yaml': theirs(name, annotations) }, spec);
      await claim.ready(ready);
      const own = await victim.source(name, { 'a.yaml': config(name, { by: 'victim' }) });
      await own.ready('True');
      assert.deepEqual((await victim.get(`configmaps/${name}`))?.['data'], { by: 'victim' });
    });
  }
});

describe('declared with plumbline.dev/adopt by a team that may not write it', { concurrency: true }, () => {
  const adopting = (name: string) => theirs(name, { 'plumbline.dev/adopt': 'true' });

  it('an object is pruned all the same when its owner drops it', async () => {
    const own = await victim.source('dropped', { 'a.yaml': config('dropped'), 'b.yaml': config('kept') });
    await own.ready('True');
    const claim = await attacker.source('dropped', { 'a.yaml': adopting('dropped') });
    await claim.ready('False');
    // Suspended, it never finds out that it may not.
    await claim.patch({ spec: { suspend: true } });
    await own.repository.write({ 'a.yaml': null });
    await until(async () => (await victim.get('configmaps/dropped')) === undefined, { what: 'it is pruned' });
  });

  it('an object is deleted all the same with the source of its owner', async () => {
    const own = await victim.source('ended', { 'a.yaml': config('ended') });
    await own.ready('True');
    const claims = await attacker.source('ended', { 'a.yaml': adopting('ended') });
    await claims.ready('False');
    await own.delete();
    assert.equal(await victim.get('configmaps/ended'), undefined);
  });
});

describe('a status', { concurrency: true }, () => {
  it('tells nobody whether an object that he may not read exists, nor whose it is', async () => {
    const own = await victim.source('hidden', {
      'a.yaml': config('hidden'),
      'b.yaml': manifest('v1', 'Secret', 'hidden-tls', { stringData: { 'tls.crt': 'x' } }),
    });
    await own.ready('True');
    const answers: string[] = [];
    for (const name of ['hidden', 'absent']) {
      const spy = await attacker.source(`spy-${name}`, { 'a.yaml': theirs(name) });
      await spy.ready('False');
      const [failure] = (await spy.status()).failures ?? [];
      answers.push(`${failure?.reason}: ${failure?.message.replaceAll(name, 'NAME')}`);
    }
    assert.equal(answers[0], answers[1]);
    assert.match(answers[0]!, /^ApiForbidden/);
  });
});
