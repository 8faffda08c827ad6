// The operator of one world: one process or two, each with a way of its own to the API server.
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Operator } from '../operator.ts';
import { until } from '../until.ts';
import type { ApiProxy } from './proxy.ts';

export interface Replica {
  name: string;
  proxy: ApiProxy;
  cacheDir: string;
  operator: Operator;
  start: () => Operator;
}

/** Longer than it takes to lose a lease (15 s) and to notice. */
const HELD_MS = 22_000;

export class Replicas implements AsyncDisposable {
  readonly all: readonly Replica[];
  readonly #leaderName: () => Promise<string | undefined>;

  /** `leaderName`: what the lease says. */
  constructor(all: readonly Replica[], leaderName: () => Promise<string | undefined>) {
    this.all = all;
    this.#leaderName = leaderName;
    for (const replica of all) replica.proxy.onKill = () => process.kill(replica.operator.pid, 'SIGKILL');
  }

  /** The replica that the lease names; the only one where there is one. */
  async leader(): Promise<Replica> {
    const [first] = this.all as [Replica];
    const name = this.all.length > 1 ? await this.#leaderName() : first.name;
    return this.all.find((replica) => replica.name === name) ?? first;
  }

  /** Starts those that ended, as the kubelet would. */
  async startAll(): Promise<void> {
    for (const replica of this.all) {
      if (replica.operator.running) continue;
      await replica.operator[Symbol.asyncDispose]();
      replica.operator = replica.start();
    }
  }

  /** `kill -9` of the leader. */
  async kill(cache: 'kept' | 'lost'): Promise<void> {
    const { operator, cacheDir } = await this.leader();
    await operator.stop('SIGKILL');
    if (cache === 'lost') rmSync(cacheDir, { recursive: true, force: true });
  }

  /** Stops the leader for a while, as a machine that swaps or is migrated does. */
  async freeze(ms: number): Promise<void> {
    const { operator } = await this.leader();
    if (!operator.running) return;
    process.kill(operator.pid, 'SIGSTOP');
    await delay(ms);
    // A request that was on its way may have killed it meanwhile.
    if (operator.running) process.kill(operator.pid, 'SIGCONT');
  }

  /** The leader is cut off with writes on their way; another one takes over; then the writes arrive. */
  async depose(): Promise<void> {
    const leader = await this.leader();
    if (!leader.operator.running) return;
    leader.proxy.arm({ on: ['write'], after: 0, times: 2, fault: { kind: 'hold', ms: HELD_MS } });
    await delay(1_200);
    leader.proxy.goDark();
    const another = async () => (await this.leader()) !== leader;
    await until(another, { what: 'another replica leads', intervalMs: 200 });
    await this.delivered();
  }

  calm(): void {
    for (const { proxy } of this.all) proxy.calm();
  }

  async delivered(): Promise<void> {
    await Promise.all(this.all.map(({ proxy }) => proxy.delivered()));
  }

  /** What the proxies did to requests, by fault. */
  get met(): Map<string, number> {
    const met = new Map<string, number>();
    for (const { proxy } of this.all)
      for (const [name, count] of proxy.met) met.set(name, (met.get(name) ?? 0) + count);
    return met;
  }

  /** For a report. */
  get lastLines(): string {
    const lines = this.all.flatMap(({ name, operator }) => [
      `--- ${name} ${operator.running ? 'runs' : 'is dead'} ${operator.stderr.slice(-2_000)}`,
      ...operator.lines.slice(-25).map((line) => JSON.stringify(line).slice(0, 600)),
    ]);
    return lines.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { operator, proxy } of this.all) {
      await operator[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    }
  }
}
