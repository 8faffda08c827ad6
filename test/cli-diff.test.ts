// `plumbline diff` and `--live` against the real API server.
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { cli, folder, HOST, LISTENER, mapping } from './cli-process.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { applyObject, objectsOf } from './install.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { until } from './until.ts';

let cluster: Cluster;
/** What was said before Emissary's CRDs came. */
let bare: Awaited<ReturnType<typeof cli>>;
// A cluster of its own: the edge is one for all namespaces.
before(async () => {
  cluster = await startCluster({ controllers: false });
  bare = await cli('routes', '--live', ...live());
  for (const kind of ['hosts', 'listeners', 'mappings']) {
    for (const crd of objectsOf(`examples/emissary-crds/${kind}.yaml`)) await applyObject(cluster, crd);
    const path = `/apis/getambassador.io/v3alpha1/${kind}?limit=1`;
    await until(async () => (await cluster.request('GET', path)).status === 200, { what: `${kind} are served` });
  }
  for (const name of ['team-a', 'team-b']) {
    await cluster.request('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    });
  }
  for (const text of [LISTENER, HOST, mapping('a', { prefix: '/a/' })]) await apply(text);
});

async function apply(text: string): Promise<void> {
  const { kind, metadata } = JSON.parse(text) as KubeObject;
  const path = `/apis/getambassador.io/v3alpha1/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}`;
  const answer = await cluster.request('PATCH', `${path}?fieldManager=test&force=true`, {
    body: text,
    contentType: 'application/apply-patch+yaml',
  });
  assert.ok(answer.status <= 201, JSON.stringify(answer.body));
}

const live = () => ['--kubeconfig', cluster.kubeconfig];

it('a cluster without Emissary says so', () => {
  assert.match(bare.stdout, /^the cluster serves no kind of getambassador\.io: Emissary's CRDs are not there$/m);
});

it('no difference: 0', async () => {
  using dir = folder({ 'a.yaml': mapping('a', { prefix: '/a/' }) });
  const { code, stdout, stderr } = await cli('diff', dir.path, ...live());
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /routes: 0 new, 0 changed, 0 lost/);
});

it('new and changed routes with their stats names: 1', async () => {
  using dir = folder({
    'a.yaml': mapping('a', { prefix: '/a/', service: 'other' }),
    'b.yaml': mapping('b', { prefix: '/b/' }),
  });
  const { code, stdout } = await cli('diff', dir.path, ...live(), '-o', 'json');
  assert.equal(code, 1);
  const { routes } = JSON.parse(stdout) as Difference;
  assert.deepEqual(
    routes.added.map(({ path, members }) => [path.value, members[0]!.statsName]),
    [['/b/', 'svc_team_a']],
  );
  assert.deepEqual(
    routes.changed.map(({ fields, after }) => [fields, after.members[0]!.statsName]),
    [[['served by'], 'other_team_a']],
  );
  assert.deepEqual(routes.lost, []);
});

it('a Mapping that takes a live route is found, with both parties', async () => {
  using dir = folder({ 'b.yaml': mapping('b', { prefix: '/a/' }, 'team-b') });
  const { code, stdout } = await cli('lint', '--live', dir.path, ...live());
  assert.equal(code, 1);
  assert.match(stdout, /error EM010 Mapping team-[ab]\/[ab] /);
  assert.match(stdout, /live in the cluster/);
  const markdown = await cli('diff', dir.path, ...live(), '-o', 'markdown');
  assert.match(markdown.stdout, /### Changed routes\n\n.*\n.*\n\| `a\.example\.com \/a\/` \| served by \|/);
});

it('a Service that is not in the cluster is missing, unless it comes along', async () => {
  const shop = mapping('shop', { prefix: '/shop/', service: 'shop' });
  using dir = folder({ 'm.yaml': shop });
  const missing = await cli('lint', '--live', dir.path, ...live());
  assert.match(missing.stdout, /^warning EM046 Mapping team-a\/shop /m);
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop', namespace: 'team-a' } };
  using whole = folder({ 'm.yaml': shop, 's.yaml': JSON.stringify({ ...service, spec: { ports: [{ port: 80 }] } }) });
  const there = await cli('lint', '--live', whole.path, ...live());
  assert.doesNotMatch(there.stdout, /EM046 Mapping team-a\/shop/);
});

it('the live route table needs no files; a cluster that does not answer is an error', async () => {
  const table = await cli('routes', '--live', ...live());
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /a\.example\.com +\/a\/ +100% +svc\.team-a:80/);
  const none = await cli('routes', '--live', '--kubeconfig', '/nowhere/config');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^plumbline: ClusterConfigMissing: .+\n$/);
});

interface Difference {
  routes: {
    added: Row[];
    changed: { fields: string[]; after: Row }[];
    lost: Row[];
  };
}

interface Row {
  path: { value: string };
  members: { statsName: string }[];
}
