// A mutating admission webhook that writes another value each time: it is told, every write of others is answered at most once,
// and nothing goes on by itself.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';
import { Webhook } from './webhook.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

let world: World;
let webhook: Webhook;
before(async () => {
  world = await World.create();
  let round = 0;
  webhook = await Webhook.start(world.cluster, () => {
    const patch = [{ op: 'replace', path: '/data/key', value: `unsteady-${(round += 1)}` }];
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  });
  const { namespace } = world;
  await world.expect(201, 'POST', CONFIGURATIONS, {
    body: {
      metadata: { name: namespace },
      webhooks: [
        {
          name: 'unsteady.example.com',
          clientConfig: webhook.clientConfig,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
          ],
          matchConditions: [{ name: 'named', expression: `object.metadata.name.startsWith('unsteady')` }],
        },
      ],
    },
  });
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unsteady-probe' }, data: { key: 'value' } };
  await until(async () => {
    const { body } = await world.cluster.request('POST', `${world.path('v1/configmaps/')}?dryRun=All`, { body: probe });
    return (body['data'] as { key?: string } | undefined)?.key?.startsWith('unsteady');
  });
});
after(async () => {
  await world.cluster.request('DELETE', `${CONFIGURATIONS}/${world.namespace}`);
  await world[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});

const writesOf = (name: string) => world.operator.writes.filter((line) => line.endsWith(`/${name}`)).length;
const versionOf = async (name: string) => (await world.get(`v1/configmaps/${name}`))!.metadata.resourceVersion;

let rounds = 0;

/** All events until now were judged: a later edit of a steady object has been healed. */
async function judged(): Promise<void> {
  rounds += 1;
  await world.edit('v1/configmaps/steady', { data: { key: `round-${rounds}` } }, `by-${rounds}`);
  await until(async () => (await dataOf(world, 'steady'))?.['key'] === 'value', { timeoutMs: 60_000 });
}

/** And answered: the webhook is asked nothing more while others are served. */
async function atRest(): Promise<void> {
  await until(
    async () => {
      const calls = webhook.calls;
      for (let round = 0; round < 5; round += 1) await judged();
      return webhook.calls === calls;
    },
    { what: 'the webhook is left alone', timeoutMs: 120_000 },
  );
}

it('is told as rewritten; each write of others, look on demand and restart costs one apply at most, and then it is quiet', async () => {
  const team = await Team.ready(world, 'app', { 'a.yaml': config('unsteady-a'), 'b.yaml': config('steady') });
  const source = await team.condition('Drifted', 'False', { reason: 'DriftRewritten' });
  const shown = source.status!.drift!.objects.find(({ name }) => name === 'unsteady-a');
  assert.deepEqual(
    [shown?.action, shown?.fields[0]?.path, shown?.fields[0]?.declared],
    ['Rewritten', '/data/key', 'value'],
  );
  assert.equal(writesOf('unsteady-a'), 1);
  await judged();
  assert.equal(writesOf('unsteady-a'), 1);

  for (let round = 1; round <= 8; round += 1) {
    const calls = webhook.calls;
    await world.edit('v1/configmaps/unsteady-a', { metadata: { annotations: { round: `${round}` } } });
    await judged();
    await until(() => webhook.calls > calls + 1, { what: 'the edit was looked at' });
  }
  await atRest();
  const writes = writesOf('unsteady-a');
  assert.ok(writes <= 9, `${writes} writes for 8 edits`);
  await team.condition('Ready', 'True');

  for (const token of ['one', 'two']) {
    await team.annotate({ 'plumbline.dev/requestedAt': token });
    await until(async () => (await team.status()).lastHandledReconcileAt === token);
  }
  await atRest();
  assert.ok(
    writesOf('unsteady-a') <= writes + 2,
    'one for each look on demand: a dry-run cannot tell that it is in vain',
  );

  await world.operator.stop();
  world.startOperator();
  await team.annotate({ 'plumbline.dev/requestedAt': 'restarted' });
  await until(async () => (await team.status()).lastHandledReconcileAt === 'restarted', { timeoutMs: 60_000 });
  await atRest();
  assert.ok(writesOf('unsteady-a') <= 1, 'one apply brings a baseline');
  const settled = await versionOf('unsteady-a');
  await atRest();
  assert.equal(await versionOf('unsteady-a'), settled);
});
