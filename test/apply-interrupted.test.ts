// A newer commit ends the run that applies the one before it, and cannot be read itself.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('a commit that is applied in part when a newer one turns out to be broken', { concurrency: true }, () => {
  for (const mode of ['Heal', 'Report'] as const)
    it(`is applied whole, and nothing of it is drift, with ${mode}`, async () => {
      const name = mode.toLowerCase();
      const held = (value: string) =>
        manifest('v1', 'ConfigMap', `${name}-held`, {
          metadata: { finalizers: ['test.example.com/hold'] },
          immutable: true,
          data: { value },
        });
      const team = await Team.ready(world, name, { 'a.yaml': held('old') }, { force: true, drift: { mode } });
      const service = manifest('v1', 'Service', name, { spec: { ports: [{ port: 80 }] } });
      // To be made anew, which its finalizer delays, and the Service with it: that is a later stage.
      await team.commit({ 'a.yaml': held('new'), 'b.yaml': service });
      const place = `v1/configmaps/${name}-held`;
      await until(async () => (await world.get(place))?.metadata.deletionTimestamp, { what: 'it is being deleted' });
      assert.equal(await world.get(`v1/services/${name}`), undefined);

      await team.commit({ 'c.yaml': 'kind: [' });
      await team.condition('Ready', 'False', { reason: 'InvalidYaml' });
      await until(async () => world.get(`v1/services/${name}`), { what: 'the rest of the commit is applied' });
      await world.edit(place, { metadata: { finalizers: null } });
      await until(async () => (await world.get(place))?.['data'] !== undefined, { what: 'it is made anew' });
      await team.push({ 'c.yaml': config(`${name}-c`) });
      const { drift } = await team.status();
      assert.deepEqual([drift?.count, drift?.healedCount], [0, 0]);
    });
});
