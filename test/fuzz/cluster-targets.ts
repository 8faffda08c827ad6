// What API servers send: objects with whatever managedFields, and answers over HTTP of whatever form.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { loadAll } from 'js-yaml';
import { assess } from '../../src/drift/assess.ts';
import { isMap, ownEntry } from '../../src/drift/fields.ts';
import { foreignFields } from '../../src/drift/foreign.ts';
import { leavesOutside, pick } from '../../src/drift/handover.ts';
import { baselineOf } from '../../src/drift/judge.ts';
import { maskedObject } from '../../src/drift/mask.ts';
import { policyFor, type DriftPolicy } from '../../src/drift/policy.ts';
import { removal } from '../../src/drift/removal.ts';
import { answerRewritten } from '../../src/drift/settle.ts';
import { wouldChange } from '../../src/drift/would-change.ts';
import { fixedConfig } from '../../src/kube/auth.ts';
import { Discovery } from '../../src/kube/discovery.ts';
import { identityOf, type FieldsV1, type KubeObject } from '../../src/kube/object.ts';
import { makeSound } from '../../src/kube/metadata.ts';
import { KubeApi } from '../../src/kube/objects.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { Transport } from '../../src/kube/transport.ts';
import { Body } from '../../src/render/body.ts';
import { health } from '../../src/sync/health.ts';
import { foldPredecessors, trackedByOther } from '../../src/sync/predecessors.ts';
import { CONFIG_MAPS } from '../kube-fake.ts';
import type { Random } from '../random.ts';
import { mutateBytes, mutateValue } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

const text = readFileSync(new URL('../drift-shapes/objects.yaml', import.meta.url), 'utf8');
const SHAPES = (loadAll(text.replaceAll('LONG', '')) as KubeObject[]).filter((object) => object?.metadata);

/** fieldsV1 as the API server would write it for all of the object. */
function owned(value: unknown): FieldsV1 {
  if (Array.isArray(value)) {
    const named = value.every((item) => typeof item === 'object' && item !== null && 'name' in item);
    if (!named) return {};
    return Object.fromEntries(
      value.map((item: { name: unknown }) => [`k:${JSON.stringify({ name: item.name })}`, { '.': {}, ...owned(item) }]),
    );
  }
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [`f:${name}`, owned(inner)]));
}

function live(object: KubeObject): KubeObject {
  const { apiVersion, kind: _kind, metadata, ...rest } = object;
  const entry = (manager: string, operation: 'Apply' | 'Update') => ({
    manager,
    operation,
    apiVersion,
    time: '2026-01-02T03:04:05Z',
    fieldsType: 'FieldsV1',
    fieldsV1: owned({ ...rest, metadata: { labels: metadata.labels, annotations: metadata.annotations } }),
  });
  const managedFields = [entry('plumbline', 'Apply'), entry('kubectl-edit', 'Update'), entry('helm', 'Update')];
  return {
    ...object,
    metadata: { ...metadata, uid: 'u', resourceVersion: '7', managedFields },
    status: { conditions: [{ type: 'Ready', status: 'True' }], observedGeneration: 1, replicas: 2 },
  };
}

const TRIE_KEYS = [
  '.',
  'f:',
  'f:spec',
  'f:__proto__',
  'f:0',
  'k:{}',
  'k:{"name":"app"}',
  'k:{"port":80,"protocol":null}',
  'v:"a"',
  'v:5',
  'i:0',
  // What no kube-apiserver writes.
  'k:{',
  'k:5',
  'k:null',
  'k:["a"]',
  'k:{"__proto__":1}',
  'v:',
  'v:{',
  'i:x',
  '',
  'x',
  '__proto__',
  'constructor',
];

/** Another trie, with keys of all sorts. */
function otherTrie(trie: FieldsV1, random: Random): FieldsV1 {
  const nodes = Object.entries(trie).filter(() => !random.chance(0.05));
  const inner = nodes.map(([key, node]): [string, FieldsV1] => [
    random.chance(0.05) ? random.pick(TRIE_KEYS) : key,
    otherTrie(node, random),
  ]);
  const grown = random.chance(0.05)
    ? [[random.pick(TRIE_KEYS), deepTrie(random.pick([0, 1, 300]), random)] as const]
    : [];
  return Object.fromEntries([...inner, ...grown]);
}

function deepTrie(depth: number, random: Random): FieldsV1 {
  let trie: FieldsV1 = {};
  for (let level = 0; level < depth; level += 1) trie = { [random.pick(TRIE_KEYS)]: trie };
  return trie;
}

/** It still says who it is; nothing else is sure, as an API server behind an aggregated API may write it. */
function spoilt(object: KubeObject, others: readonly KubeObject[], random: Random): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object;
  const managedFields = (metadata.managedFields ?? []).map((entry) => {
    if (random.chance(0.6)) return { ...entry, fieldsV1: otherTrie(entry.fieldsV1 ?? {}, random) };
    return random.chance(0.2) ? mutateValue(entry, [entry, metadata], random) : entry;
  });
  const { name, namespace = '' } = metadata;
  const described = random.chance(0.3) ? mutateValue(metadata, others, random) : { ...metadata, managedFields };
  const content = random.chance(0.6) ? mutateValue(rest, others, random) : rest;
  const whole = isMap(described) ? { ...described, name, namespace } : { name, namespace };
  // What is no JSON does not come over the wire.
  return makeSound(JSON.parse(JSON.stringify({ ...content, apiVersion, kind, metadata: whole })) as KubeObject);
}

const POLICIES: readonly DriftPolicy[] = [
  { foreignFields: 'Leave' },
  { foreignFields: 'Report', allowManagers: ['h*'] },
  { foreignFields: 'Remove', ignore: [{ paths: ['/spec/*/0', '/data', '/spec/template/spec/containers[name=app]'] }] },
  { foreignFields: 'Remove', ignore: [{ paths: ['/spec', '/metadata/labels/*'], managers: ['kubectl-*'] }] },
];
const MANAGER = 'plumbline';

/** Everything that is decided about one live object, without a request. */
export const managedFields: FuzzTarget = {
  run(random) {
    const declared = random.pick(SHAPES);
    const now = spoilt(live(declared), SHAPES, random);
    const baseline = baselineOf(declared, now, MANAGER);
    const body = new Body(JSON.stringify(declared));
    const kept = { apiVersion: declared.apiVersion, identity: identityOf(declared), policy: { ssa: 'Override' }, body };
    const policy = random.pick(POLICIES);
    JSON.stringify(assess(kept, now, { manager: MANAGER, policy, ...(random.chance(0.5) && { baseline }) }));
    const input = { declared, live: now, manager: MANAGER, tolerated: policyFor(policy, kept, declared).tolerated };
    removal(input, foreignFields(input));
    const [ours, helm] = [MANAGER, 'helm'].map((name) => ownEntry(now, name)?.fieldsV1);
    if (ours) pick(now, ['/spec', '/data', '/spec/template/spec/containers[name=app]/image'], ours);
    if (ours) leavesOutside(ours, helm);
    answerRewritten(JSON.stringify(declared), now);
    wouldChange(now, live(declared));
    maskedObject(now);
    health(now);
    trackedByOther(now);
    foldPredecessors(now, { ours: 'plumbline' });
  },
};

const LIST = {
  kind: 'ConfigMapList',
  apiVersion: 'v1',
  metadata: { resourceVersion: '5', continue: '' },
  items: [live({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'n' }, data: { a: 'b' } })],
};
const EVENTS = [
  { type: 'ADDED', object: { kind: 'ConfigMap', apiVersion: 'v1', ...LIST.items[0] } },
  { type: 'BOOKMARK', object: { metadata: { resourceVersion: '6' } } },
  { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } },
];
const STATUS = {
  kind: 'Status',
  code: 409,
  reason: 'Conflict',
  message: 'x "y" is bad',
  details: { causes: [{ field: 'a' }], retryAfterSeconds: 1 },
};
const DISCOVERY = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: { name: 'apps' },
      versions: [
        {
          version: 'v1',
          resources: [
            { resource: 'deployments', responseKind: { kind: 'Deployment' }, scope: 'Namespaced', verbs: ['get'] },
          ],
        },
      ],
    },
  ],
};
const BODIES: readonly unknown[] = [
  LIST,
  ...EVENTS,
  STATUS,
  DISCOVERY,
  { groups: [{ name: 'a', versions: [{ groupVersion: 'a/v1' }] }] },
];

interface Fake {
  server: Server;
  url: string;
  answer: Buffer;
}

let fake: Fake | undefined;

/** Raw bytes in the place of an API server, and our own client before them. */
export const httpAnswers: FuzzTarget = {
  async prepare() {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(fake!.answer));
    });
    await new Promise<void>((resolve) => server.unref().listen(0, '127.0.0.1', resolve));
    fake = { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answer: Buffer.alloc(0) };
  },
  async run(random) {
    fake!.answer = answer(random);
    const transport = new Transport(fixedConfig(fake!.url));
    const api = new KubeApi(transport, new Discovery(transport));
    const signal = AbortSignal.timeout(400);
    const options = { signal, timeoutMs: 300, retry: false };
    try {
      await random.pick([
        () => api.get(CONFIG_MAPS, 'n', 'a', options),
        () => api.create(CONFIG_MAPS, 'n', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }, options),
        () => listAll(api, options),
        () => api.discovery.refresh(signal),
        () => api.watch(CONFIG_MAPS, { signal, resourceVersion: '5', timeoutSeconds: 1, onEvent: () => {} }),
        () => follow(api),
      ])();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await transport.close();
    }
  },
};

function answer(random: Random): Buffer {
  const body = mutateValue(random.pick(BODIES), BODIES, random);
  const lines = random.chance(0.4) ? EVENTS.map((event) => mutateValue(event, BODIES, random)) : [body];
  let bytes: Buffer = Buffer.from(lines.map((line) => JSON.stringify(line) ?? '').join('\n'));
  if (random.chance(0.5)) bytes = mutateBytes(bytes, [bytes], random);
  const status = random.pick([200, 200, 200, 201, 204, 304, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503]);
  const head = [
    `HTTP/1.1 ${status} X`,
    `content-type: ${random.pick(['application/json', 'application/json', 'text/html', 'json/\u00ff', ''])}`,
    ...(random.chance(0.8) ? [`content-length: ${bytes.length}`] : []),
    ...(random.chance(0.1) ? [`retry-after: ${random.pick(['1', '-1', '1e99', 'soon', '0'])}`] : []),
    ...(random.chance(0.1) ? [`warning: ${random.pick(['299 - "x"', '299 - "\\', '299', '299 - ""299 - "'])}`] : []),
    '',
    '',
  ].join('\r\n');
  const whole = Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
  return random.chance(0.2) ? mutateBytes(whole, [whole], random) : whole;
}

async function listAll(api: KubeApi, options: { signal: AbortSignal }): Promise<void> {
  for await (const _ of api.list(CONFIG_MAPS, { ...options, retry: false }));
}

/** A reflector goes on whatever comes; it tells its problems. */
async function follow(api: KubeApi): Promise<void> {
  const problems: unknown[] = [];
  const look = (object: KubeObject) => void baselineOf(object, object, MANAGER);
  const handler = {
    listStarted: () => {},
    item: look,
    listDone: () => {},
    event: (_type: string, object: KubeObject) => look(object),
    problem: (error: unknown) => void problems.push(error),
  };
  await new Reflector(api, { resource: CONFIG_MAPS }, handler).run(AbortSignal.timeout(60));
  const [defect] = problems.filter((error) => (error as { code?: string }).code === 'WatchHandlerFailed');
  if (defect) throw (defect as Error).cause ?? defect;
}
