// kill -9 at random moments of applying and pruning: after the next start there is no orphan, no lost object, no wrong prune.
// Ten rounds here; `node test/kill.test.ts --rounds 100 --seed 7` for more of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { freshNamespace } from './cluster.ts';
import { World } from './operator.ts';
import { config, crd, manifest } from './team.ts';
import { until } from './until.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, seed: { type: 'string' } },
  strict: false,
});
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: the same seed gives the same rounds. */
function randomOf(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Item {
  metadata: { name: string; uid: string };
  data?: { round?: string };
  spec?: { round?: string };
}

const OBJECTS = 60;
const ALWAYS = 10;

test(`kill -9, ${rounds} rounds, seed ${seed}`, { timeout: 60_000 + rounds * 15_000 }, async () => {
  const random = randomOf(seed);
  const pick = (below: number) => Math.floor(random() * below);
  await using world = await World.create();
  const other = await freshNamespace(world.cluster, 'kill');
  const group = `${world.namespace}.kill.example.com`;
  const KINDS = {
    configmaps: (name: string, round: string) => config(name, { round }, { namespace: world.namespace }),
    secrets: (name: string, round: string) =>
      manifest('v1', 'Secret', name, { metadata: { namespace: other }, stringData: { round } }),
    widgets: (name: string, round: string) =>
      manifest(`${group}/v1`, 'Widget', name, { metadata: { namespace: world.namespace }, spec: { round } }),
  };
  const collections: Record<string, string> = {
    configmaps: `/api/v1/namespaces/${world.namespace}/configmaps`,
    secrets: `/api/v1/namespaces/${other}/secrets`,
    widgets: `/apis/${group}/v1/namespaces/${world.namespace}/widgets`,
  };
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];

  /** What a round declares: always the same ten, and some of the others; whole kinds come and go. */
  const declare = (round: number) => {
    const files: Record<string, string | null> = { objects: null, 'crd.yaml': crd(group, 'Widget', 'widgets') };
    const wanted = new Set<string>();
    const left = kinds.filter(() => random() < 0.75);
    for (let index = 0; index < OBJECTS; index += 1) {
      const kind = index < ALWAYS ? 'configmaps' : kinds[index % kinds.length]!;
      if (index >= ALWAYS && (!left.includes(kind) || random() < 0.4)) continue;
      files[`objects/${index}.yaml`] = KINDS[kind](`k-${index}`, index < ALWAYS ? 'always' : String(round));
      wanted.add(`${kind}/k-${index}`);
    }
    return { files, wanted };
  };
  const live = async () => {
    const found = new Map<string, { uid: string; round: string }>();
    for (const [kind, path] of Object.entries(collections)) {
      const { body } = await world.cluster.request<{ items?: Item[] }>('GET', path);
      for (const { metadata, data, spec } of body.items ?? []) {
        const { name, uid } = metadata;
        const { round = '' } = data ?? spec ?? {};
        const text = kind === 'secrets' ? Buffer.from(round, 'base64').toString() : round;
        if (/^(k-|foreign)/.test(name)) found.set(`${kind}/${name}`, { uid, round: text });
      }
    }
    return found;
  };

  await world.operator.stop('SIGKILL');
  const foreign = {
    metadata: { name: 'foreign', labels: { 'plumbline.dev/name': 'app', 'plumbline.dev/namespace': world.namespace } },
  };
  await world.expect(201, 'POST', collections['configmaps']!, { body: foreign });
  await world.createSource({ pruneGuard: { maxPercent: 100 } });
  const uids = new Map<string, string>();

  for (let round = 1; round <= rounds; round += 1) {
    const { files, wanted } = declare(round);
    const commit = await world.repository.write(files);
    const operator = world.startOperator();
    const isChecked = round % 5 === 0 || round === rounds;
    if (!isChecked) {
      const writes = pick(OBJECTS);
      // Some rounds have fewer writes than that: then it dies at rest, which is a moment too.
      await until(
        async () =>
          operator.writes.length >= writes || (await world.source())?.status?.lastAppliedRevision?.endsWith(commit),
        { timeoutMs: 60_000, what: `round ${round} has ${writes} writes, or is applied` },
      );
      await operator.stop('SIGKILL');
      continue;
    }
    await world.condition('Ready', 'True', { revision: commit, timeoutMs: 60_000 });
    await until(
      async () => {
        const found = await live();
        assert.deepEqual([...found.keys()].sort(), [...wanted, 'configmaps/foreign'].sort(), `round ${round}`);
        for (const key of wanted) {
          const index = Number(key.split('-')[1]);
          assert.equal(found.get(key)!.round, index < ALWAYS ? 'always' : String(round), `round ${round}: ${key}`);
        }
        return true;
      },
      { what: `round ${round} is as declared` },
    );
    const found = await live();
    for (let index = 0; index < ALWAYS; index += 1) {
      const key = `configmaps/k-${index}`;
      const { uid } = found.get(key)!;
      assert.equal(uids.get(key) ?? uid, uid, `${key} was never to be deleted`);
      uids.set(key, uid);
    }
    await operator.stop('SIGKILL');
  }
});
