import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { Bed, type BenchOptions } from './bed.ts';
import { MeasuredOperator } from './measured-operator.ts';
import { COLLECTIONS, filesOf, mixedObjects } from './mixed-objects.ts';
import { processorSeconds } from './processor.ts';
import { AuditTail, OPERATOR } from './requests.ts';
import { figure } from './table.ts';
import { BARE } from './turn.ts';

const PART = 'scale-foreign';
const CHANGES_PER_SECOND = 200;
const CONNECTIONS = 8;
const TICK_MS = 50;
/** How long each state is looked at, unless --seconds says less. */
const LOOK_S = 60;

/**
 * Objects without our label, of a kind that is watched and in the namespace that is managed, change all the time: what does
 * that cost the operator beside the same time of rest, and what does their number cost a restart?
 */
export async function foreign(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options, { audit: true, controllers: false });
  const managed = mixedObjects(options.objects);
  const repository = await bed.git.createRepository(PART);
  await repository.write(filesOf(managed));
  const namespace = await bed.namespace();
  await bed.createSource(namespace, 'apps', { url: repository.url, path: 'apps', interval: '1h' });
  await using crowd = new Crowd(bed, namespace);
  const seconds = Math.min(LOOK_S, options.seconds);
  for (const factor of [1, 10] as const) {
    const count = options.objects * 10 * factor;
    options.tell(`${PART}: ${count} objects are made`);
    await crowd.growTo(count);
    const startedAt = performance.now();
    await using operator = await MeasuredOperator.start(bed, namespace);
    await bed.request(namespace, 'apps').then((token) => bed.handled(namespace, 'apps', token));
    options.report(
      figure(PART, `${count} foreign: process start → all verified`, 1, (performance.now() - startedAt) / 1000, 's'),
    );
    const rest = await look(bed, operator, seconds);
    const stop = new AbortController();
    const changing = crowd.change(stop.signal);
    const busy = await look(bed, operator, seconds);
    stop.abort();
    const name = `${count} foreign, ${Math.round((await changing) / seconds)} changes/s for ${seconds} s`;
    const row = (metric: string, unit: string, of: (looked: Looked) => number) =>
      options.report(figure(PART, `${name}: ${metric}`, 1, of(busy), unit, of(rest)));
    row('processor of the operator', 'processor s', ({ processor }) => processor);
    row('requests', 'requests', ({ requests }) => requests);
    row('memory', 'MB', ({ memory }) => memory);
    row('delay of the event loop, p99', 'ms', ({ loopMs }) => loopMs);
  }
}

interface Looked {
  processor: number;
  requests: number;
  memory: number;
  loopMs: number;
}

async function look(bed: Bed, operator: MeasuredOperator, seconds: number): Promise<Looked> {
  const { pid } = operator.child;
  const tail = new AuditTail(bed.cluster);
  await operator.loopDelayMs();
  const processor = processorSeconds([pid]);
  await delay(seconds * 1000);
  return {
    processor: processorSeconds([pid]) - processor,
    requests: tail.next(OPERATOR).length,
    memory: operator.child.memory('VmRSS'),
    loopMs: await operator.loopDelayMs(),
  };
}

/** ConfigMaps that nobody declares. */
class Crowd implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #collection: string;
  readonly #authorization: string;
  #count = 0;

  constructor({ cluster }: Bed, namespace: string) {
    this.#pool = new Pool(cluster.url, { connections: CONNECTIONS, connect: { ca: cluster.ca } });
    this.#collection = COLLECTIONS.ConfigMap(namespace);
    this.#authorization = `Bearer ${cluster.tokens[BARE]}`;
  }

  async growTo(count: number): Promise<void> {
    const worker = async () => {
      while (this.#count < count) {
        const metadata = { name: nameOf(this.#count++) };
        await this.#send('POST', '', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: '0' } });
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  }

  /** Changes one after the other at the rate that is promised, as far as the server keeps up; how many changes were made. */
  async change(signal: AbortSignal): Promise<number> {
    const startedAt = performance.now();
    let made = 0;
    while (!signal.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * CHANGES_PER_SECOND) - made;
      const batch = Array.from({ length: Math.min(due, CONNECTIONS) }, (_, index) =>
        nameOf((made + index) % this.#count),
      );
      await Promise.all(batch.map((name) => this.#send('PATCH', `/${name}`, { data: { value: crypto.randomUUID() } })));
      made += batch.length;
      if (batch.length < CONNECTIONS) await delay(TICK_MS);
    }
    return made;
  }

  async #send(method: 'POST' | 'PATCH', place: string, body: object): Promise<void> {
    const type = method === 'POST' ? 'application/json' : 'application/merge-patch+json';
    const headers = { authorization: this.#authorization, 'content-type': type };
    const path = this.#collection + place;
    const answer = await this.#pool.request({ method, path, headers, body: JSON.stringify(body) });
    await answer.body.dump();
    if (answer.statusCode > 201) throw new Error(`${method} ${path}: ${answer.statusCode}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}

function nameOf(index: number): string {
  return `foreign-${String(index).padStart(6, '0')}`;
}
