// Values of Secrets and credentials appear nowhere: logs, events, status, metrics, stderr. Canaries are put wherever one could
// leak from, each is made to be talked about, and everything that the operator said is searched.
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { after, before, describe, it } from 'node:test';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** Each is looked for as it is and in base64. */
const canaries: string[] = [];
function canary(name: string): string {
  const value = `canary-${name}-${Math.random().toString(36).slice(2)}`;
  canaries.push(value);
  return value;
}

let world: World;
let metrics: ServedMetrics;
before(async () => {
  metrics = await ServedMetrics.onFreePort();
  const args = [metrics.flag, '--log-level=trace'];
  world = await World.create({ args, git: { auth: { username: 'reader', password: canary('git-password') } } });
});
after(() => world[Symbol.asyncDispose]());

async function credentials(name: string, data: Record<string, string>): Promise<void> {
  await world.expect(201, 'POST', world.path('v1/secrets/'), {
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data },
  });
}

/** Everything that anybody can read of what the operator said. */
async function everything(): Promise<Record<string, string>> {
  const events = await world.cluster.request('GET', world.path('v1/events/'));
  const sources = await world.cluster.request(
    'GET',
    `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources`,
  );
  const items = (sources.body as unknown as { items: { status: unknown }[] }).items.map(({ status }) => status);
  return {
    log: world.operator.lines.map((line) => JSON.stringify(line)).join('\n'),
    stderr: world.operator.stderr,
    events: JSON.stringify(events.body),
    status: JSON.stringify(items),
    metrics: await metrics.text(),
  };
}

function good(): Record<string, string> {
  return { username: 'reader', password: canaries[0]! };
}

describe('a secret', { concurrency: true }, () => {
  it('that is edited by hand, deleted, or recreated is healed without its value', async () => {
    await credentials('git', good());
    const [first, second] = [canary('data'), canary('string-data')];
    const files = {
      'a.yaml': manifest('v1', 'Secret', 'drift-a', { data: { key: base64(first) } }),
      'b.yaml': manifest('v1', 'Secret', 'drift-b', { stringData: { password: second } }),
      'c.yaml': manifest('v1', 'Secret', 'drift-c', { stringData: { password: second } }),
      'd.yaml': config('drift-d', { 'settings.ini': `user = x\npassword = ${canary('ini')}\n` }),
      'e.yaml': deployment('drift-e', {
        template: {
          metadata: { labels: { app: 'drift-e' } },
          spec: { containers: [{ name: 'app', image: 'a:1', env: [{ name: 'DB_PASSWORD', value: canary('env') }] }] },
        },
      }),
      'f.yaml': config(
        'drift-f',
        { key: 'value' },
        {
          annotations: { 'example.com/settings': JSON.stringify({ db: { password: canary('annotation') } }) },
        },
      ),
      'g.yaml': config('drift-g', { url: `postgres://app:${canary('url')}@db/app` }),
    };
    const team = await Team.ready(world, 'drift', files, { secretRef: { name: 'git' } });
    await world.edit('v1/secrets/drift-a', { data: { key: base64(canary('edited')) } });
    await world.edit('v1/secrets/drift-b', { data: null });
    await world.expect(200, 'DELETE', world.path('v1/secrets/drift-c'));
    await world.edit('v1/configmaps/drift-d', { data: { 'settings.ini': `password = ${canary('ini-live')}` } });
    const env = [{ name: 'DB_PASSWORD', value: canary('env-live') }];
    await world.expect(200, 'PATCH', `${world.path('apps/v1/deployments/drift-e')}?fieldManager=x`, {
      body: { spec: { template: { spec: { containers: [{ name: 'app', env }] } } } },
      contentType: 'application/strategic-merge-patch+json',
    });
    const annotations = { 'example.com/settings': JSON.stringify({ db: { password: canary('annotation-live') } }) };
    await world.edit('v1/configmaps/drift-f', { metadata: { annotations } });
    await world.edit('v1/configmaps/drift-g', { data: { url: `postgres://app:${canary('url-live')}@db/app` } });
    const status = await until(async () => {
      const { drift } = await team.status();
      return drift?.healedCount === 7 && drift;
    });
    const shown = status.objects.find(({ name }) => name === 'drift-a')!.fields[0]!;
    assert.deepEqual([shown.path, shown.declared, shown.live], ['/data/key', '***', '***'], 'that it changed is told');
  });

  it('that cannot be applied or read as YAML is refused without its value', async () => {
    await credentials('git-invalid', good());
    const spec = { secretRef: { name: 'git-invalid' } };
    const invalid = {
      'a.yaml': manifest('v1', 'Secret', 'inv-a', { data: { key: `not base64! ${canary('not-base64')}` } }),
      'b.yaml': manifest('v1', 'Secret', 'inv-b', {
        type: 'kubernetes.io/tls',
        stringData: { 'tls.key': canary('tls') },
      }),
      'c.yaml': manifest('v1', 'Secret', 'inv-c', { stringData: { 'bad key!': canary('bad-key') } }),
      'd.yaml': manifest('v1', 'Secret', 'inv-d', { data: { key: base64('x') }, unknown: canary('unknown-field') }),
      'e.yaml': manifest('v1', 'Secret', 'inv-e', { data: [canary('list')] }),
      'f.yaml': manifest('v1', 'Secret', 'inv-f', { stringData: { key: { nested: canary('nested') } } }),
      'g.yaml': manifest('v1', 'Secret', 'inv-g', { type: canary('type').slice(0, 5), immutable: 'yes', data: {} }),
    };
    for (const [file, text] of Object.entries(invalid)) {
      const name = `inv-${file[0]}`;
      const team = await Team.create(world, name, { [file]: text, 'ok.yaml': config(`${name}-ok`) }, spec);
      await team.condition('Ready', 'False');
    }
    const broken = `apiVersion: v1\nkind: Secret\nmetadata: {name: broken}\nstringData:\n  password: ${canary('yaml')}\n :\n  x: [\n`;
    const twice = `apiVersion: v1\nkind: Secret\nmetadata: {name: twice}\nstringData:\n  password: ${canary('first')}\n  password: ${canary('second')}\n`;
    for (const [name, text] of Object.entries({ broken, twice })) {
      await (await Team.create(world, `yaml-${name}`, { 'a.yaml': text }, spec)).condition('Ready', 'False');
    }
    const json = `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "j"}, "stringData": {"password": "${canary('json')}" oops}}`;
    await (await Team.create(world, 'yaml-json', { 'a.json': json }, spec)).condition('Ready', 'False');
  });

  it('that is immutable cannot change, and is not shown', async () => {
    await credentials('git-immutable', good());
    const secret = (value: string) =>
      manifest('v1', 'Secret', 'imm-a', { immutable: true, stringData: { key: value } });
    const team = await Team.ready(
      world,
      'imm',
      { 'a.yaml': secret(canary('before')) },
      { secretRef: { name: 'git-immutable' } },
    );
    await team.commit({ 'a.yaml': secret(canary('after')) });
    await team.failure('imm-a', 'ImmutableField');
    await team.patch({ spec: { force: true } });
    await team.condition('Ready', 'True');
  });

  it('for Git is never told when it is refused', async () => {
    await credentials('git-wrong', { username: canary('user'), password: canary('wrong-password') });
    await credentials('git-token', { bearerToken: canary('token') });
    await credentials('git-odd', { bearerToken: `${canary('odd')}\u0000`, username: canary('both') });
    for (const name of ['git-wrong', 'git-token', 'git-odd']) {
      const team = await Team.create(world, name, { 'a.yaml': config(`${name}-a`) }, { secretRef: { name } });
      await team.condition('Ready', 'False', { reason: name === 'git-odd' ? 'SecretInvalid' : 'AuthenticationFailed' });
    }
    const port = new URL(world.git.url).port;
    const url = `http://someone:${canary('in-url')}@127.0.0.1:${port}/x.git`;
    const refused = await world.cluster.request(
      'POST',
      `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources`,
      {
        body: {
          apiVersion: 'plumbline.dev/v1alpha1',
          kind: 'GitOpsSource',
          metadata: { name: 'in-url' },
          spec: { url },
        },
      },
    );
    assert.equal(refused.status, 422, 'credentials do not belong into the URL');
  });
});

it('nothing of it was said', async () => {
  assert.ok(canaries.length > 25);
  await until(async () => (await everything())['events']!.includes('drift-a'), { what: 'drift was told in an event' });
  const said = await everything();
  for (const [where, text] of Object.entries(said)) {
    if (where !== 'stderr') assert.ok(text.length > 500, `${where} says something`);
    for (const value of canaries) {
      for (const form of [value, base64(value), encodeURIComponent(base64(value))]) {
        const at = text.indexOf(form);
        assert.ok(at < 0, `${where} holds ${value}: …${text.slice(Math.max(0, at - 300), at + 60)}…`);
      }
    }
  }
});
