import assert from 'node:assert/strict';
import test from 'node:test';
import { configMap, World } from './operator.ts';
import { until } from './until.ts';

test('push, apply, drift, heal, report, prune', async () => {
  await using world = await World.create();
  const first = await world.repository.write({
    'a.yaml': configMap('a'),
    'b.yaml': configMap('b'),
    'c.yaml': configMap('c'),
  });
  await world.createSource();
  const source = await world.condition('Ready', 'True');
  assert.equal(source.status?.lastAppliedRevision, `main@sha1:${first}`);
  assert.deepEqual(source.status?.inventory, { count: 3, kinds: [{ group: '', kind: 'ConfigMap', count: 3 }] });

  await world.edit('v1/configmaps/a', { data: { key: 'edited', other: 'foreign' } });
  const healed = await until(async () => {
    const object = await world.get('v1/configmaps/a');
    return (object?.['data'] as Record<string, string> | undefined)?.['key'] === 'value' && object;
  });
  assert.equal((healed['data'] as Record<string, string>)['other'], 'foreign', 'what others added stays');
  const told = await until(async () => {
    const now = await world.source();
    return now?.status?.drift?.healedCount === 1 && now.status.drift;
  });
  const [object] = told.objects;
  assert.equal(object?.action, 'Healed');
  assert.equal(object.file, 'a.yaml');
  const [field] = object.fields;
  assert.deepEqual(
    { ...field, time: undefined, since: undefined },
    {
      path: '/data/key',
      declared: 'value',
      live: 'edited',
      manager: 'kubectl-edit',
      operation: 'Update',
      action: 'Healed',
      time: undefined,
      since: undefined,
    },
  );
  assert.equal(told.count, 0);

  await world.expect(200, 'DELETE', world.path('v1/configmaps/b'));
  await until(() => world.get('v1/configmaps/b'));

  await world.push({ 'c.yaml': null });
  await until(async () => (await world.get('v1/configmaps/c')) === undefined);
  assert.deepEqual(
    world.operator.writes.filter((line) => line.startsWith('pruned')),
    [`pruned ConfigMap ${world.namespace}/c`],
  );
});
