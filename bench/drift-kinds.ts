import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../src/kube/object.ts';
import type { RequestOptions } from '../test/cluster-request.ts';
import type { Cluster } from '../test/cluster.ts';
import { EDGE, installEmissary, mapping } from '../test/edge.ts';
import { config, manifest } from '../test/team.ts';
import { until } from '../test/until.ts';
import { Bed, type BenchOptions } from './bed.ts';
import { EDITS, SOURCES, type Edit, type Kind, type SourceName } from './drift-edits.ts';
import { COLLECTIONS } from './mixed-objects.ts';
import { Observer } from './observer.ts';
import { distribution, median } from './table.ts';

const SAMPLES = 50;
/** Objects of each kind in each source, edited in turns. */
const COPIES = 10;
/** Edits that are tried under Prevent. */
const TRIES = 3;
const PATIENCE_MS = 60_000;

/**
 * Each kind of drift: from the answer to the edit until a neutral watch sees the object as it was, and whether the same edit
 * is refused under Prevent. The limit is one server-side apply by a bare client, in turns with the edits.
 */
export async function driftKinds(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options);
  await installEmissary(bed.cluster);
  const namespace = await bed.namespace();
  const repository = await bed.git.createRepository('kinds');
  const names = Object.keys(SOURCES) as SourceName[];
  await repository.write(Object.assign({}, ...names.map(filesOf)) as Record<string, string>);
  await using operator = bed.operator(namespace, { args: ['--prevent-namespaces=*'] });
  for (const name of names) {
    await bed.createSource(namespace, name, { url: repository.url, path: name, interval: '1h', drift: SOURCES[name] });
    await bed.ready(namespace, name);
  }
  await using field = await Field.open(bed.cluster, namespace);
  await until(async () => !(await field.edit(EDITS[0]!, 'prevent', 0)).taken, {
    what: 'edits are refused',
    timeoutMs: 120_000,
    intervalMs: 1_000,
  });
  for (const edit of EDITS) {
    const samples: number[] = [];
    const bare: number[] = [];
    for (let sample = -2; sample < (options.samples ?? SAMPLES); sample += 1) {
      const { taken, healed } = await field.edit(edit, edit.source ?? 'heal', sample);
      if (!taken) throw new Error(`${edit.what}: refused`);
      // The first edits warm up.
      if (sample < 0) await healed;
      else {
        samples.push(await healed);
        bare.push(await field.apply());
      }
    }
    let refused = 0;
    for (let round = 0; round < TRIES; round += 1) {
      const { taken, healed } = await field.edit(edit, 'prevent', round);
      if (taken) await healed;
      else refused += 1;
    }
    const verdict = refused === TRIES ? 'refuses' : refused === 0 ? 'lets pass' : `refuses ${refused} of ${TRIES}`;
    options.report(distribution('drift-kinds', `${edit.what} (Prevent ${verdict})`, samples, 'ms', median(bare)));
  }
  await operator.stop('SIGTERM');
}

/** The managed objects, and a watch of all of them. */
class Field implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #waiting = new Map<string, (object: KubeObject) => void>();
  #observers: Observer[] = [];
  #mark = 0;

  private constructor(cluster: Cluster, namespace: string) {
    [this.#cluster, this.#namespace] = [cluster, namespace];
  }

  static async open(cluster: Cluster, namespace: string): Promise<Field> {
    const field = new Field(cluster, namespace);
    for (const collection of Object.values(PLACES)) {
      const observer = await Observer.open(cluster, collection(namespace), (type, object) => {
        if (type !== 'DELETED') field.#waiting.get(keyOf(object))?.(object);
      });
      field.#observers.push(observer);
    }
    return field;
  }

  /** `healed`: milliseconds from the answer until the object was as before; `taken` is false for an edit that was refused. */
  async edit(
    { what, kind, by }: Edit,
    source: SourceName,
    copy: number,
  ): Promise<{ taken: boolean; healed: Promise<number> }> {
    const path = `${PLACES[kind](this.#namespace)}/${nameOf(source, kind, (copy + COPIES) % COPIES)}`;
    const before = (await this.#cluster.request('GET', path)).body;
    const wanted = asKept(before);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    // Events from before the edit come as well: only its answer tells which ones are later.
    const seen: { version: bigint; at: number }[] = [];
    let answered: { version: bigint; at: number } | undefined;
    const look = () => {
      const first = answered && seen.find(({ version }) => version > answered!.version);
      if (first) resolve(Math.max(0, first.at - answered!.at));
    };
    this.#waiting.set(keyOf(before), (object) => {
      if (!isDeepStrictEqual(asKept(object), wanted)) return;
      seen.push({ version: versionOf(object), at: performance.now() });
      look();
    });
    const send = (
      method: 'PATCH' | 'DELETE',
      options: RequestOptions & { manager?: string; subresource?: string } = {},
    ) => {
      const { manager = 'kubectl-edit', subresource = '', ...rest } = options;
      return this.#cluster.request(method, `${path}${subresource}?fieldManager=${manager}`, rest);
    };
    const answer = await by({ object: before, send }, String((this.#mark += 1)));
    if (answer.status === 403) return { taken: false, healed: Promise.resolve(0) };
    if (answer.status !== 200) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    // The answer to a deletion names no version.
    const version = answer.body.metadata.resourceVersion === undefined ? versionOf(before) : versionOf(answer.body);
    answered = { version, at: performance.now() };
    look();
    const timer = setTimeout(() => reject(new Error(`${what} of ${path}: not put back`)), PATIENCE_MS);
    return { taken: true, healed: promise.finally(() => clearTimeout(timer)) };
  }

  /** Milliseconds that one server-side apply of an object takes that nobody else cares for. */
  async apply(): Promise<number> {
    const path = `${COLLECTIONS.ConfigMap(this.#namespace)}/bare?fieldManager=bare&force=true`;
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'bare' },
      data: { key: `${(this.#mark += 1)}` },
    };
    const startedAt = performance.now();
    await this.#cluster.request('PATCH', path, { body, contentType: 'application/apply-patch+yaml' });
    return performance.now() - startedAt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#observers.map((observer) => observer[Symbol.asyncDispose]()));
  }
}

const PLACES: Readonly<Record<Kind, (namespace: string) => string>> = {
  Deployment: COLLECTIONS.Deployment,
  ConfigMap: COLLECTIONS.ConfigMap,
  Service: COLLECTIONS.Service,
  Secret: (namespace) => `/api/v1/namespaces/${namespace}/secrets`,
  Mapping: (namespace) => `/apis/${EDGE}/namespaces/${namespace}/mappings`,
};

/** What a heal must bring back: all content, and our ownership of it. */
function asKept({ metadata, status: _status, ...content }: KubeObject): object {
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations ?? {};
  const ours = metadata.managedFields?.filter(({ manager }) => manager === 'plumbline') ?? [];
  return { content, labels: metadata.labels, annotations, ours: ours.map(({ fieldsV1 }) => fieldsV1) };
}

function versionOf({ metadata }: KubeObject): bigint {
  return BigInt(metadata.resourceVersion ?? 0);
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}

function nameOf(source: SourceName, kind: Kind, copy: number): string {
  return `${source}-${kind.toLowerCase()}-${copy}`;
}

function filesOf(source: SourceName): Record<string, string> {
  const files: Record<string, string> = {};
  for (let copy = 0; copy < COPIES; copy += 1)
    for (const kind of Object.keys(PLACES) as Kind[]) {
      const name = nameOf(source, kind, copy);
      files[`${source}/${name}.yaml`] = MANIFESTS[kind](name);
    }
  return files;
}

const MANIFESTS: Readonly<Record<Kind, (name: string) => string>> = {
  ConfigMap: (name) =>
    config(name, { key: 'value', other: 'value' }, { labels: { team: 'shop' }, annotations: { note: 'declared' } }),
  Secret: (name) => manifest('v1', 'Secret', name, { stringData: { token: 'declared' } }),
  Service: (name) => manifest('v1', 'Service', name, { spec: { selector: { app: name }, ports: [{ port: 80 }] } }),
  Mapping: (name) => mapping(name, `${name}.example.com`, '/declared/'),
  Deployment: (name) => {
    const env = [{ name: 'MODE', value: 'production' }];
    const containers = [{ name: 'app', image: 'app:1', args: ['--a', '--b'], env }];
    const template = { metadata: { labels: { app: name } }, spec: { containers } };
    // Paused: nothing rolls out, and no pod takes time from what is measured.
    const spec = { paused: true, replicas: 1, minReadySeconds: 5, selector: { matchLabels: { app: name } }, template };
    return manifest('apps/v1', 'Deployment', name, { spec });
  },
};
