// Objects reach the store to the byte, or are refused with the place in Git.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, crd, dataOf, deployment, manifest, Team } from './team.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('strict', { concurrency: true }, () => {
  it('a field that the kind does not have is a failure with file and line', async () => {
    const files = {
      'web.yaml': `${config('strict-a')}---\n${deployment('strict-web').replace('replicas: 0', 'replicsa: 0')}`,
    };
    const team = await Team.create(world, 'strict', files);
    const failure = await team.failure('strict-web');
    const line = files['web.yaml'].split('\n').indexOf('---') + 2;
    assert.deepEqual([failure.file, failure.line], ['web.yaml', line]);
    assert.match(failure.message, /\.spec\.replicsa: field not declared/);
    assert.deepEqual(await dataOf(world, 'strict-a'), { key: 'value' });
  });

  it('a key that is there twice stops the revision, with file and line', async () => {
    const team = await Team.create(world, 'twice', {
      'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice-a\ndata:\n  a: "1"\n  a: "2"\n',
      'b.yaml': config('twice-b'),
    });
    const { status } = await team.condition('Ready', 'False');
    assert.match(status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /a\.yaml:7: /);
    assert.equal(await dataOf(world, 'twice-b'), undefined);
  });

  it('an object that is declared twice stops the revision, with both places', async () => {
    const team = await Team.create(world, 'double', { 'a.yaml': config('double-a'), 'b/c.yaml': config('double-a') });
    const { status } = await team.condition('Ready', 'False', { reason: 'DuplicateObject' });
    const message = status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
    assert.match(message, /a\.yaml:1/);
    assert.match(message, /b\/c\.yaml:1/);
  });
});

describe('exact', { concurrency: true }, () => {
  it('int64 and fields that nobody knows stay as they are, and so does the object at rest', async () => {
    const group = `${world.namespace}.exact.example.com`;
    const body = manifest(`${group}/v1`, 'Widget', 'exact-widget', {
      spec: { deep: { unknown: [{ a: null }, 'yes', 0.5] }, constructor: { prototype: 1 }, 'with/slash~': 'x' },
    }).replace('spec:', 'spec:\n  big: 9007199254740993\n  bigger: [-9223372036854775808, 9223372036854775807]');
    const team = await Team.ready(world, 'exact', { 'a.yaml': body, 'crd.yaml': crd(group, 'Widget', 'widgets') });
    const path = `/apis/${group}/v1/namespaces/${world.namespace}/widgets/exact-widget`;
    // As YAML, because JSON.parse would round them.
    const { body: text } = await world.cluster.request<string>('GET', path, {
      headers: { accept: 'application/yaml' },
    });
    assert.match(text, /big: 9007199254740993\n/);
    assert.match(text, /- -9223372036854775808\n +- 9223372036854775807\n/);
    const { spec } = (await world.expect(200, 'GET', path)) as unknown as { spec: Record<string, unknown> };
    assert.deepEqual(spec['deep'], { unknown: [{ a: null }, 'yes', 0.5] });
    assert.deepEqual(spec['constructor'], { prototype: 1 });
    assert.equal(spec['with/slash~'], 'x');
    // A change beside them sends them once more.
    await team.push({ 'a.yaml': body.replace('0.5', '0.25') });
    const again = await world.cluster.request<string>('GET', path, { headers: { accept: 'application/yaml' } });
    assert.match(again.body, /big: 9007199254740993\n/);
    assert.equal((await team.status()).drift?.healedCount, 0);
  });

  it('names with capitals and colons', async () => {
    const name = 'Team:Admin';
    await Team.ready(world, 'capital', {
      'a.yaml': manifest('rbac.authorization.k8s.io/v1', 'Role', name, { rules: [] }),
    });
    const path = world.path(`rbac.authorization.k8s.io/v1/roles/${encodeURIComponent(name)}`);
    assert.equal((await world.expect(200, 'GET', path)).metadata.name, name);
  });

  it('an object of 300 KB, and its change', async () => {
    const data = { text: 'ü'.repeat(150_000), small: '1' };
    const team = await Team.ready(world, 'large', { 'a.yaml': config('large', data) });
    assert.deepEqual(await dataOf(world, 'large'), data);
    await team.push({ 'a.yaml': config('large', { ...data, small: '2' }) });
    assert.deepEqual(await dataOf(world, 'large'), { ...data, small: '2' });
  });
});
