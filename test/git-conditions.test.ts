// What goes wrong with Git has its own reason and message in the conditions, holds up nobody else, and ends by itself.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitFault, GitRequest } from './git-server.ts';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
const faults = new Map<string, (request: GitRequest) => GitFault>();
before(async () => {
  world = await World.create();
  world.git.fault = (request) => faults.get(request.repository)?.(request) ?? 'pass';
});
after(() => world[Symbol.asyncDispose]());

const spec = { retryInterval: '1s', timeout: '3s' };

interface FaultCase {
  what: string;
  name: string;
  reason: string;
  fault: (request: GitRequest) => GitFault;
}

const FAULTS: FaultCase[] = [
  { what: 'a server that hangs', name: 'hang', reason: 'GitTimeout', fault: () => 'hang' },
  { what: 'a connection that breaks', name: 'reset', reason: 'GitUnreachable', fault: () => 'reset' },
  { what: 'a server that is overloaded', name: 'busy', reason: 'GitUnreachable', fault: () => ({ status: 503 }) },
  { what: 'a refusal', name: 'refused', reason: 'AuthenticationFailed', fault: () => ({ status: 403 }) },
  {
    what: 'a corrupt pack',
    name: 'corrupt',
    reason: 'GitProtocolError',
    fault: ({ operation }) => (operation === 'fetch' ? 'corrupt' : 'pass'),
  },
  {
    what: 'an answer that is no Git',
    name: 'html',
    reason: 'GitProtocolError',
    fault: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>sign in</html>' }),
  },
];

describe('Git fails', { concurrency: true }, () => {
  it('and an edit of the source acts at once all the same', async () => {
    const team = await Team.ready(world, 'edited', { 'a.yaml': config('edited-a') }, spec);
    await team.commit({ 'b.yaml': 'kind: [' });
    await team.condition('Ready', 'False', { reason: 'InvalidYaml' });
    await team.patch({ spec: { commonMetadata: { labels: { team: 'edge' } } } });
    const labels = async () => (await world.get('v1/configmaps/edited-a'))?.metadata.labels;
    await until(async () => (await labels())?.['team'] === 'edge');

    faults.set('edited', () => 'reset');
    await team.condition('Ready', 'False', { reason: 'GitUnreachable' });
    const drift = { ignore: [{ paths: ['/data/key'] }] };
    await team.patch({ spec: { drift, commonMetadata: { labels: { team: 'shop' } } } });
    await until(async () => (await labels())?.['team'] === 'shop');
    await world.edit('v1/configmaps/edited-a', { data: { key: 'by hand' }, metadata: { labels: { team: 'mine' } } });
    await until(async () => (await labels())?.['team'] === 'shop', { what: 'the rest of it is put back' });
    assert.deepEqual(await dataOf(world, 'edited-a'), { key: 'by hand' });
    await team.patch({ spec: { path: 'nowhere' } });
    await world.expect(200, 'DELETE', world.path('v1/configmaps/edited-a'));
    await present(world, 'edited-a');
  });

  it('and the history goes on saying why the commit before failed', async () => {
    const team = await Team.ready(world, 'history', { 'a.yaml': config('history-a') }, spec);
    await team.commit({ 'b.yaml': 'kind: [' });
    await team.condition('Ready', 'False', { reason: 'InvalidYaml' });
    const said = (await team.status()).history;
    assert.match(said?.[0]?.message ?? '', /b\.yaml:/);
    await team.patch({ spec: { ref: { branch: 'nowhere' } } });
    await team.condition('Ready', 'False', { reason: 'RefNotFound' });
    faults.set('history', () => 'reset');
    await team.condition('Ready', 'False', { reason: 'GitUnreachable' });
    assert.deepEqual((await team.status()).history, said);
  });

  for (const { what, name, reason, fault } of FAULTS) {
    it(`${what}: ${reason}, the cached revision is enforced, and it goes on by itself`, async () => {
      const files = { 'a.yaml': config(`${name}-a`), 'b.yaml': config(`${name}-b`) };
      const team = await Team.ready(world, name, files, spec);
      faults.set(name, fault);
      await team.commit({ 'a.yaml': config(`${name}-a`, { key: 'second' }), 'b.yaml': null });
      const failed = await team.condition('Ready', 'False', { reason });
      const message = failed.status!.conditions!.find(({ type }) => type === 'Ready')!.message;
      assert.ok(message.length > 20, message);
      assert.doesNotMatch(message, /undefined|\[object|at .*\.ts/);
      assert.equal(
        failed.status?.conditions?.find(({ type }) => type === 'Stalled'),
        undefined,
      );
      await world.edit(`v1/configmaps/${name}-a`, { data: { key: 'edited' } });
      await until(async () => (await dataOf(world, `${name}-a`))?.['key'] === 'value', { what: 'drift is healed' });
      await present(world, `${name}-b`);
      faults.delete(name);
      await team.condition('Ready', 'True');
      assert.equal((await dataOf(world, `${name}-a`))?.['key'], 'second');
      await present(world, `${name}-b`, false);
    });
  }

  it('a branch that is deleted: RefNotFound, nothing is pruned, until it is pushed again', async () => {
    const team = await Team.ready(world, 'branch', { 'a.yaml': config('branch-a') }, spec);
    const { repository } = team;
    await repository.git(`--git-dir=${repository.bare}`, 'update-ref', '-d', 'refs/heads/main');
    const failed = await team.condition('Ready', 'False');
    const { reason } = failed.status!.conditions!.find(({ type }) => type === 'Ready')!;
    assert.ok(['RefNotFound', 'EmptyRepository'].includes(reason), reason);
    await present(world, 'branch-a');
    await team.commit({ 'a.yaml': config('branch-a', { key: 'again' }) });
    await until(async () => (await dataOf(world, 'branch-a'))?.['key'] === 'again');
  });

  it('an empty repository: EmptyRepository, and the first commit is applied', async () => {
    const repository = await world.git.createRepository('empty');
    await world.createSource({ url: repository.url, ...spec }, 'empty');
    await world.condition('Ready', 'False', { name: 'empty', reason: 'EmptyRepository' });
    await repository.write({ 'a.yaml': config('empty-a') });
    await world.condition('Ready', 'True', { name: 'empty' });
  });

  it('a path that is not there: PathNotFound, and nothing is pruned', async () => {
    const files = { 'apps/a.yaml': config('path-a') };
    const team = await Team.ready(world, 'path', files, { ...spec, path: 'apps' });
    await team.commit({ apps: null, 'other/a.yaml': config('path-a') });
    const failed = await team.condition('Ready', 'False', { reason: 'PathNotFound' });
    assert.match(failed.status!.conditions!.find(({ type }) => type === 'Ready')!.message, /apps/);
    await present(world, 'path-a');
  });

  it('a submodule and a link out of the tree are errors that name the file', async () => {
    const files = { 'a.yaml': config('links-a') };
    const team = await Team.ready(world, 'links', files, spec);
    await team.repository.write({}, 'link', { symlinks: { 'out.yaml': '../../etc/passwd' } });
    const link = await team.condition('Ready', 'False', { reason: 'SymlinkOutside' });
    assert.match(link.status!.conditions!.find(({ type }) => type === 'Ready')!.message, /out\.yaml/);
    const commit = 'a'.repeat(40);
    await team.repository.write({ 'out.yaml': null }, 'submodule', { submodules: { 'vendor/lib': commit } });
    const submodule = await team.condition('Ready', 'False', { reason: 'Submodule' });
    assert.match(submodule.status!.conditions!.find(({ type }) => type === 'Ready')!.message, /vendor\/lib/);
    await present(world, 'links-a');
  });

  it('an unknown host: HostNotFound; a port where nobody listens: ConnectionRefused', async () => {
    await world.createSource({ url: 'https://git.invalid/x.git', ...spec }, 'host');
    await world.createSource({ url: 'http://127.0.0.1:1/x.git', ...spec }, 'port');
    await world.condition('Ready', 'False', { name: 'port', reason: 'ConnectionRefused' });
    await world.condition('Ready', 'False', { name: 'host', reason: 'HostNotFound' });
    await world.condition('Drifted', 'Unknown', { name: 'host', reason: 'DriftUnknown' });
  });

  it('a force-push is followed, to another history and back', async () => {
    const team = await Team.ready(world, 'force', { 'a.yaml': config('force-a'), 'b.yaml': config('force-b') });
    const amended = await team.commit(
      { 'a.yaml': config('force-a', { key: 'amended' }), 'b.yaml': null },
      { amend: true },
    );
    await team.condition('Ready', 'True', { revision: amended });
    assert.equal((await dataOf(world, 'force-a'))?.['key'], 'amended');
    await present(world, 'force-b', false);
  });
});

it('a new pod without a cache while Git is down: drift is Unknown, nothing is written or pruned', async () => {
  const team = await Team.ready(world, 'fresh', { 'a.yaml': config('fresh-a'), 'b.yaml': config('fresh-b') }, spec);
  await world.operator.stop();
  await team.commit({ 'b.yaml': null });
  world.git.fault = () => 'reset';
  await world.edit('v1/configmaps/fresh-a', { data: { key: 'edited' } });
  world.startAsNewPod();
  await team.condition('Ready', 'False', { reason: 'GitUnreachable' });
  await team.condition('Drifted', 'Unknown', { reason: 'DriftUnknown' });
  assert.deepEqual(world.operator.writes, []);
  await present(world, 'fresh-b');
  world.git.fault = () => 'pass';
  await team.condition('Ready', 'True');
  await present(world, 'fresh-b', false);
  await until(async () => (await dataOf(world, 'fresh-a'))?.['key'] === 'value');
});
