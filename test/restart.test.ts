// A restart asks for what it must know and writes nothing: lists, one dry-run for each object whose values the server writes
// its own way, no persisted write; and a commit that came meanwhile is applied without the old one first.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readAudit, settled, type AuditEvent } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config, deployment, Team } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await startCluster({ audit: true });
  world = await World.create({ cluster });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

const COUNT = 60;
const files = (data: string) => ({
  'many.yaml': Array.from({ length: COUNT }, (_, index) => config(`many-${index}`, { key: 'value' })).join('---\n'),
  'one.yaml': config('one', { key: data }),
  'web.yaml': deployment('web', {
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image: 'app:1', resources: { limits: { cpu: '1000m' } } }] },
    },
  }),
});

function writes(events: AuditEvent[]): string[] {
  return events
    .filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    .map(({ verb, requestURI, objectRef }) => {
      const dry = requestURI.includes('dryRun=All') ? ' (dry-run)' : '';
      return `${verb} ${objectRef?.resource}/${objectRef?.name}${objectRef?.subresource ? '/status' : ''}${dry}`;
    });
}

/** Kills the operator, starts it again and waits until it has looked at everything. */
async function restart(team: Team, meanwhile: () => Promise<unknown> = async () => {}): Promise<AuditEvent[]> {
  // The last word of the one that ends is not that of the one that starts.
  await settled(() => readAudit(cluster, 'operator').length);
  await world.operator.stop('SIGKILL');
  await meanwhile();
  const before = readAudit(cluster, 'operator').length;
  // The one that was killed may have the end of its watches logged now; and others are opened, too.
  const asked = () => readAudit(cluster, 'operator').slice(before);
  const isWatched = (resource: string) =>
    asked().some(({ verb, stage, objectRef }) => {
      return verb === 'watch' && stage === 'ResponseStarted' && objectRef?.resource === resource;
    });
  world.startOperator();
  const watched = ['gitopssources', 'configmaps', 'deployments'];
  await until(() => watched.every(isWatched), { what: `${watched.join()} are watched` });
  // An edit at the end: when it is healed, the start is over.
  const count = (await team.status()).drift?.healedCount ?? 0;
  await world.edit('v1/configmaps/many-0', { data: { key: `edited-${before}` } });
  await until(async () => ((await team.status()).drift?.healedCount ?? 0) > count);
  // The audit log is written a moment after the answer.
  await until(() => writes(asked()).includes('patch configmaps/many-0'), { what: 'the heal is in the audit log' });
  return asked();
}

it('after kill -9 in sync: one list for each kind, no write but the dry-run that it needs', async () => {
  const team = await Team.ready(world, 'again', files('first'));
  await team.condition('Healthy', 'True');
  const events = await restart(team);
  const wrote = writes(events);
  const healed = wrote.indexOf('patch configmaps/many-0');
  assert.ok(healed >= 0, wrote.join());
  assert.deepEqual(wrote.slice(0, healed), ['patch deployments/web (dry-run)']);
  // The one beside them asks whether policies of drift.mode Prevent were left behind.
  const lists = events.filter(
    ({ verb, requestURI }) =>
      verb === 'list' && requestURI.includes('labelSelector') && !requestURI.includes('/validatingadmissionpolicies'),
  );
  assert.deepEqual(lists.map(({ objectRef }) => `${objectRef?.resource}`).sort(), ['configmaps', 'deployments']);
  const reads = events.filter(({ verb, objectRef }) => verb === 'get' && objectRef?.name?.startsWith('many'));
  assert.deepEqual(reads, [], 'not one object is read by itself');
  assert.deepEqual(world.operator.writes, [`healed ConfigMap ${world.namespace}/many-0`]);
});

it('a commit pushed meanwhile is applied, and the old one never first', async () => {
  const team = await Team.ready(world, 'next', { 'a.yaml': config('next-a', { key: 'first' }) });
  await world.operator.stop('SIGKILL');
  // An edit of the old revision's field, and a commit that changes the same one.
  await world.edit('v1/configmaps/next-a', { data: { key: 'edited' } });
  const commit = await team.commit({ 'a.yaml': config('next-a', { key: 'second' }) });
  const before = readAudit(cluster, 'operator').length;
  const seen = new Set<string | undefined>();
  world.startOperator();
  await until(async () => {
    const { key } = (await world.get('v1/configmaps/next-a'))!['data'] as { key: string };
    seen.add(key);
    return key === 'second';
  });
  await team.condition('Ready', 'True', { revision: commit });
  assert.ok(!seen.has('first'), [...seen].join());
  const patches = () => writes(readAudit(cluster, 'operator').slice(before)).filter((line) => line.includes('next-a'));
  await until(() => patches().length > 0, { what: 'the write is in the audit log' });
  assert.deepEqual(patches(), ['patch configmaps/next-a']);
});

it('a commit that is half applied goes on being enforced while a newer one cannot be read, not the one before it', async () => {
  const team = await Team.ready(world, 'half', { 'a.yaml': config('half-a', { key: 'first' }) });
  await team.commit({ 'a.yaml': config('half-a', { key: 'second' }), 'b.yaml': config('half-b', { key: 1 as never }) });
  await team.failure('half-b');
  const newest = await team.commit({ 'c.yaml': 'a: [' });
  await team.condition('Ready', 'False', { reason: 'InvalidYaml', revision: newest });
  await world.operator.stop('SIGKILL');
  await world.edit('v1/configmaps/half-a', { data: { key: 'edited' } });
  const seen = new Set<string | undefined>();
  world.startOperator();
  await until(async () => {
    const { key } = (await world.get('v1/configmaps/half-a'))!['data'] as { key: string };
    seen.add(key);
    return key !== 'edited';
  });
  assert.deepEqual([...seen].at(-1), 'second');
  // As soon as it can be applied whole, nothing more is to be said of it.
  const mended = await team.push({ 'b.yaml': null, 'c.yaml': null });
  const { lastAppliedRevision, lastReleasedRevision } = await team.status();
  assert.deepEqual([lastAppliedRevision?.endsWith(mended), lastReleasedRevision], [true, undefined]);
});
