import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { load } from 'js-yaml';
import type { GitOpsSource } from '../src/api/source.ts';
import { inParallel } from '../src/concurrency/parallel.ts';
import type { Cluster } from '../test/cluster.ts';
import { config, deployment } from '../test/team.ts';
import { until } from '../test/until.ts';
import { Bed, sourcesOf, type BenchOptions } from './bed.ts';
import { COLLECTIONS } from './mixed-objects.ts';
import { processorSeconds } from './processor.ts';
import { distribution, figure, median } from './table.ts';

/** How many sources have `drift.mode: Prevent`, one round after the other. */
const SIZES = [1, 100, 1_000];
const SAMPLES = 300;
const UNMANAGED = 'write of an object that is not managed';
/** Requests of one kind before it is the turn of the next. */
const BATCH = 20;
/** Requests at a time where writes are counted by the second; each has an object of its own. */
const WIDTH = 8;
/** The API server takes up policies and bindings once a second. */
const TAKEN_UP_MS = 3_000;

/**
 * What admission costs whoever writes: the same requests before any policy stands, and with 1, 100 and 1,000 sources under
 * Prevent, each with a ConfigMap and a Deployment. One request after the other for the latency and for what the API server
 * spends on each, 8 at a time for the rate.
 */
export async function prevent(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options);
  const { cluster } = bed;
  const namespace = await bed.namespace();
  const writes = new Writes(cluster, namespace);
  const samples = options.samples ?? SAMPLES;
  const repository = await bed.git.createRepository('prevent');
  await repository.write(files(Math.max(...SIZES)));
  await writes.createUnmanaged();
  await using operator = bed.operator(namespace, { args: ['--prevent-namespaces=*'] });
  const create = (index: number, mode: 'Heal' | 'Prevent') => {
    const name = sourceName(index);
    return bed.createSource(namespace, name, { url: repository.url, path: name, interval: '1h', drift: { mode } });
  };
  await create(0, 'Heal');
  await bed.ready(namespace, sourceName(0));

  const limits = new Map<string, number>();
  const measure = async (sources: string) => {
    const seen = await inRounds(samples, writes.kinds, cluster.apiServerPid);
    const beside = seen.get(UNMANAGED)!.spent;
    for (const [what, { latencies, spent }] of seen) {
      const perSecond = await rate(samples * 5, writes.kinds[what]!);
      if (!limits.has(what))
        limits.set(what, median(latencies)).set(`${what}/s`, perSecond).set(`${what}/spent`, spent);
      const name = `${what}, ${sources}`;
      options.report(distribution('prevent', name, latencies, 'ms', limits.get(what)));
      options.report(figure('prevent', name, samples, spent, 'processor ms', limits.get(`${what}/spent`)));
      options.report(figure('prevent', name, samples, spent / beside, 'times one that is not managed'));
      options.report(figure('prevent', name, samples * 5, perSecond, 'per s', limits.get(`${what}/s`)));
    }
    options.report(
      figure('prevent', `memory of the API server, ${sources}`, 1, residentMb(cluster.apiServerPid), 'MB'),
    );
    options.report(figure('prevent', `memory of the operator, ${sources}`, 1, operator.memory('VmRSS'), 'MB'));
  };
  await measure('no policy');
  const first = `${sourcesOf(namespace)}/${sourceName(0)}`;
  await cluster.request('PATCH', first, { body: { spec: { drift: { mode: 'Prevent' } } } });
  let made = 1;
  for (const size of SIZES) {
    const startedAt = performance.now();
    for (; made < size; made += 1) await create(made, 'Prevent');
    await until(async () => (await preventing(cluster, namespace)) === size, {
      what: `${size} sources prevent drift`,
      timeoutMs: 1_800_000,
      intervalMs: 1_000,
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    options.report(figure('prevent', `until ${size} sources prevent drift`, 1, seconds, 's'));
    const last = size === 1 ? managed(0) : sourceName(size - 1);
    await until(async () => (await writes.edit(last)) === 403, { what: 'edits are refused', intervalMs: 500 });
    await delay(TAKEN_UP_MS);
    await measure(`${size} under Prevent`);
    const refused = await inTurns(samples, async (index) => {
      const status = await writes.edit(managed(index % WIDTH));
      if (status !== 403) throw new Error(`an edit under Prevent was answered ${status}`);
    });
    options.report(distribution('prevent', `edit that is refused, ${size} under Prevent`, refused, 'ms'));
  }
  await operator.stop('SIGTERM');
}

/** Writes as somebody with kubectl sends them: what they change is not declared. */
class Writes {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  #round = 0;

  constructor(cluster: Cluster, namespace: string) {
    [this.#cluster, this.#namespace] = [cluster, namespace];
  }

  readonly kinds: Readonly<Record<string, (index: number) => Promise<void>>> = {
    [UNMANAGED]: (index) => this.#annotate(unmanaged(index % WIDTH)),
    'write of a managed object': (index) => this.#annotate(managed(index % WIDTH)),
    'status write of a managed object': (index) => this.#writeStatus(managed(index % WIDTH)),
    'scale of a Deployment that is not managed': (index) => this.#scale(unmanaged(index % WIDTH)),
  };

  async createUnmanaged(): Promise<void> {
    for (let index = 0; index < WIDTH; index += 1) {
      const name = unmanaged(index);
      for (const [kind, text] of [
        ['ConfigMap', config(name)],
        ['Deployment', paused(name)],
      ] as const) {
        const answer = await this.#cluster.request('POST', COLLECTIONS[kind](this.#namespace), { body: load(text) });
        if (answer.status !== 201) throw new Error(`${kind} ${name}: ${answer.status}`);
      }
    }
  }

  /** Changes a declared field; the status of the answer. */
  async edit(name: string): Promise<number> {
    const path = `${COLLECTIONS.ConfigMap(this.#namespace)}/${name}?fieldManager=kubectl-edit`;
    const { status } = await this.#cluster.request('PATCH', path, { body: { data: { key: this.#next() } } });
    return status;
  }

  async #annotate(name: string): Promise<void> {
    const path = `${COLLECTIONS.ConfigMap(this.#namespace)}/${name}?fieldManager=kubectl-annotate`;
    const body = { metadata: { annotations: { note: this.#next() } } };
    this.#expect(await this.#cluster.request('PATCH', path, { body }));
  }

  async #writeStatus(name: string): Promise<void> {
    const path = `${COLLECTIONS.Deployment(this.#namespace)}/${name}/status?fieldManager=bench`;
    const condition = { type: 'Bench', status: 'True', reason: 'Bench', message: this.#next() };
    this.#expect(await this.#cluster.request('PATCH', path, { body: { status: { conditions: [condition] } } }));
  }

  async #scale(name: string): Promise<void> {
    const path = `${COLLECTIONS.Deployment(this.#namespace)}/${name}/scale?fieldManager=kubectl`;
    const body = { spec: { replicas: (this.#round += 1) % 2 } };
    this.#expect(await this.#cluster.request('PATCH', path, { body }));
  }

  #next(): string {
    return String((this.#round += 1));
  }

  #expect({ status, body }: { status: number; body: unknown }): void {
    if (status !== 200) throw new Error(`a write was answered ${status}: ${JSON.stringify(body)}`);
  }
}

/** The folder of each source; the first one has the objects that are written to. */
function files(sources: number): Record<string, string> {
  const all: Record<string, string> = {};
  for (let index = 0; index < sources; index += 1) {
    const name = sourceName(index);
    all[`${name}/config.yaml`] = config(name);
    all[`${name}/deployment.yaml`] = paused(name);
  }
  for (let index = 0; index < WIDTH; index += 1) {
    all[`${sourceName(0)}/${managed(index)}.yaml`] = config(managed(index));
    all[`${sourceName(0)}/${managed(index)}-web.yaml`] = paused(managed(index));
  }
  return all;
}

function paused(name: string): string {
  return deployment(name, { paused: true });
}

function sourceName(index: number): string {
  return `source-${String(index).padStart(4, '0')}`;
}

function managed(index: number): string {
  return `managed-${index}`;
}

function unmanaged(index: number): string {
  return `unmanaged-${index}`;
}

async function preventing(cluster: Cluster, namespace: string): Promise<number> {
  const { body } = await cluster.request<{ items: GitOpsSource[] }>('GET', sourcesOf(namespace));
  const isPreventing = ({ status }: GitOpsSource) =>
    status?.conditions?.some((condition) => condition.type === 'DriftPrevented' && condition.status === 'True');
  return body.items.filter(isPreventing).length;
}

/** Milliseconds of each. */
async function inTurns(count: number, send: (index: number) => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    await send(index);
    took.push(performance.now() - startedAt);
  }
  return took;
}

/**
 * The kinds in turns, a batch of each, so that whatever else the machine does meets all of them: the latency of each request,
 * and the processor time of the API server for one, in milliseconds.
 */
async function inRounds(samples: number, kinds: Writes['kinds'], pid: number) {
  const seen = new Map(Object.keys(kinds).map((what) => [what, { latencies: [] as number[], spent: 0 }]));
  for (let sent = 0; sent < samples; sent += BATCH)
    for (const [what, { latencies }] of seen) {
      const before = processorSeconds([pid]);
      latencies.push(...(await inTurns(BATCH, kinds[what]!)));
      seen.get(what)!.spent += processorSeconds([pid]) - before;
    }
  for (const one of seen.values()) one.spent *= 1_000 / one.latencies.length;
  return seen;
}

/** How many a second, WIDTH at a time. */
async function rate(count: number, send: (index: number) => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await inParallel(
    Array.from({ length: count }, (_, index) => index),
    WIDTH,
    send,
  );
  return (count * 1_000) / (performance.now() - startedAt);
}

/** Of any process, in MB (10^6 bytes). */
function residentMb(pid: number): number {
  return (Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;
}
