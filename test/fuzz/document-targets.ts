// What people write: manifests, our own resources, kubeconfigs, and policies of the edge.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { parseEdgePolicy } from '../../src/api/edge-policy-reading.ts';
import { parseSpec } from '../../src/api/source.ts';
import { compileEdge } from '../../src/edge/compile.ts';
import { DEFAULT_GUARD } from '../../src/edge/guard.ts';
import type { EdgeInput } from '../../src/edge/input.ts';
import { findingsOf } from '../../src/edge/judge.ts';
import { routesOf } from '../../src/edge/routes.ts';
import { PlumblineError } from '../../src/errors.ts';
import { kubeconfigConfig } from '../../src/kube/kubeconfig.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { RenderCache } from '../../src/render/cache.ts';
import { render } from '../../src/render/render.ts';
import { inputOf, readEdgeVectors, type EdgeVector } from '../edge-vectors.ts';
import type { Random } from '../random.ts';
import { SAMPLES } from '../source-samples.ts';
import { readYamlVectors } from '../yaml-vectors.ts';
import { mutateBytes, mutateValue } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

const path = (name: string) => new URL(`../${name}`, import.meta.url).pathname;

let manifests: Buffer[] = [];

/** Whole files through the renderer, as a repository brings them. */
export const yaml: FuzzTarget = {
  async prepare() {
    const vectors = readYamlVectors(path('vectors/yaml/kubectl.json')).map((vector) => Buffer.from(vector.yaml));
    manifests = [...vectors, readFileSync(path('drift-shapes/objects.yaml'))];
  },
  async run(random) {
    const names = ['a.yaml', 'b.json', '.plumblineignore', 'sub/c.yml'];
    const contents = new Map(
      names.map((_, index) => [`oid-${index}`, mutateBytes(random.pick(manifests), manifests, random)]),
    );
    const files = names.map((name, index) => ({ path: name, oid: `oid-${index}` }));
    const { problems, declared } = await render({
      files,
      read: async (oids) => new Map(oids.map((oid) => [oid, contents.get(oid)!])),
      selection: { path: '', include: [], exclude: [] },
      settings: { source: { namespace: 'team', name: 'app' }, scopeOf: () => 'Namespaced' },
      cache: new RenderCache(),
      signal: new AbortController().signal,
    });
    for (const { message } of problems)
      if (message.length > 4_000)
        throw new Error(`a message of ${message.length} characters: ${message.slice(0, 200)}…${message.slice(-300)}`);
    for (const { body } of declared) JSON.parse(body.text);
  },
};

const EDGE_POLICY = {
  ambassadorId: 'default',
  emissaryVersion: '4.1.0',
  namespace: 'emissary',
  mode: 'Warn',
  ignore: [{ rule: 'EM010', source: 'team/app' }],
  grants: [{ hosts: ['*.example.com'], paths: ['/api/'], namespaces: ['team'], selector: { matchLabels: { a: 'b' } } }],
  unclaimed: 'Deny',
  overrides: [{ source: 'team/app', commit: '0123456789abcdef0123456789abcdef01234567', reason: 'because' }],
};

/** Specs of both our resources: whatever they hold, the fields that are wrong are named. */
export const customResources: FuzzTarget = {
  run(random) {
    const specs = SAMPLES.map(({ spec }) => spec);
    const source = parseSpec(mutateValue(random.pick(specs), specs, random), 'team');
    const policy = parseEdgePolicy(mutateValue(EDGE_POLICY, [EDGE_POLICY, ...specs], random));
    for (const parsed of [source, policy]) {
      if (!parsed.ok && parsed.problems.length === 0) throw new Error('a spec is refused without a word');
    }
  },
};

const KUBECONFIG = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {
      name: 'c',
      cluster: { server: 'https://127.0.0.1:1', 'certificate-authority-data': 'YQ==', 'proxy-url': 'http://p:1' },
    },
  ],
  users: [
    { name: 'u', user: { token: 'secret-token', 'client-certificate-data': 'YQ==', 'client-key-data': 'YQ==' } },
    { name: 'v', user: { username: 'n', password: 'secret-word', tokenFile: '/nowhere' } },
  ],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
  'current-context': 'x',
};

const scratch = mkdtempSync(join(tmpdir(), 'plumbline-fuzz-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** No login commands are among the inputs: nothing is executed. */
export const kubeconfigs: FuzzTarget = {
  async run(random) {
    const text = dump(mutateValue(KUBECONFIG, [KUBECONFIG], random), { skipInvalid: true, noRefs: true });
    const file = join(scratch, 'kubeconfig');
    writeFileSync(file, random.chance(0.5) ? text : mutateBytes(Buffer.from(text), [Buffer.from(text)], random));
    try {
      const config = await kubeconfigConfig(file);
      await config.credentials(AbortSignal.timeout(2_000));
    } catch (error) {
      if (error instanceof PlumblineError && /secret-/.test(error.message))
        throw new Error('a secret is told', { cause: error });
      throw error;
    }
  },
};

let edges: EdgeVector[] = [];

/** Policies of all kinds with hostile values anywhere: they are compiled, written out and judged. */
export const edge: FuzzTarget = {
  async prepare() {
    edges = ['directed', 'random'].flatMap((file) => readEdgeVectors(path(`vectors/edge/${file}.jsonl`)));
  },
  run(random) {
    const vector = random.pick(edges);
    const others = random.pick(edges).objects;
    const objects = vector.objects.map((object) => (random.chance(0.4) ? spoilt(object, others, random) : object));
    judgeEdge({ ...inputOf(vector), objects: objects.map((object) => ({ object, origin: {} })) });
    if (({} as Record<string, unknown>)['polluted'] !== undefined) throw new Error('Object.prototype is polluted');
  },
};

/** What the API server itself guarantees stays: kind, apiVersion, name and namespace. */
function spoilt(object: KubeObject, others: readonly KubeObject[], random: Random): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object;
  if (random.chance(0.8)) {
    const specs = others.map(({ spec }) => ({ spec }));
    return { ...mutateValue(rest, specs, random), apiVersion, kind, metadata };
  }
  const { labels = {}, annotations = {} } = metadata;
  const text = (values: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        mutateBytes(Buffer.from(value), [Buffer.from(value)], random).toString(),
      ]),
    );
  return { ...object, metadata: { ...metadata, labels: text(labels), annotations: text(annotations) } };
}

/** Compiles and judges it whole, every route written out. Throws when a rule fails. */
export function judgeEdge(input: EdgeInput): void {
  const compiled = compileEdge(input);
  for (const listener of compiled.listeners) {
    for (const { vhosts } of listener.chains) for (const vhost of vhosts) for (const _ of routesOf(listener, vhost));
  }
  const failed = findingsOf({ edge: compiled, input, guard: DEFAULT_GUARD }).filter(({ rule }) => rule === 'EM000');
  if (failed.length > 0) throw new Error(failed.map(({ message }) => message).join('; '));
}
