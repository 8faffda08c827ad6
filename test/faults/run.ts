// `npm run faults -- --rounds N --seed S [--worlds W] [--world I]`: rounds of faults in several worlds side by side.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bundle } from '../../src/build.ts';
import type { Cluster } from '../cluster.ts';
import { installEmissary } from '../edge.ts';
import { preventCluster } from '../prevent.ts';
import { anySeed } from '../random.ts';
import { Schedule } from './schedule.ts';
import type { Round } from './steps.ts';
import { FaultWorld, type ServerHandle } from './world.ts';

export interface FaultOptions {
  seed: number;
  /** Of each world. */
  rounds: number;
  /** Which worlds to play, by number: each has a schedule of its own. The second of each four has two replicas. */
  worlds: readonly number[];
  /** Restarts of the API server are part of it; only on a cluster of one's own. */
  restarts: boolean;
  /** The operator, when it is not the source: a bundle starts in a quarter of the time. */
  entry?: string;
  log?: (line: string) => void;
}

export interface FaultReport {
  rounds: number;
  /** One text for each world that was not right after a round; it ends there. */
  failures: string[];
  /** Steps carried out, by kind. */
  steps: Map<string, number>;
  /** Requests and watches that met a fault, by kind. */
  met: Map<string, number>;
  settledMs: number[];
}

/**
 * An API server looks for the kinds of the parameters of policies when it begins, before its CRDs are served, and then each 30 s
 * (apiserver, pkg/server/options/admission.go): until then what Prevent refuses passes.
 */
const PARAMETERS_KNOWN_MS = 35_000;

/** `cluster` is one of `preventCluster`, and nobody else's. */
export async function runFaults(cluster: Cluster, options: FaultOptions): Promise<FaultReport> {
  await installEmissary(cluster);
  const report: FaultReport = { rounds: 0, failures: [], steps: new Map(), met: new Map(), settledMs: [] };
  let restarting: Promise<void> | undefined;
  let begun = 0;
  // Once for all that ask at the same time, with time between to get on with the work.
  const restart = () => {
    if (!restarting) begun += 1;
    return (restarting ??= cluster
      .restartApiServer()
      .then(() => delay(PARAMETERS_KNOWN_MS))
      .finally(() => void (restarting = undefined)));
  };
  const server: ServerHandle = { restart, calm: async () => restarting, restarts: () => begun };
  await Promise.all(options.worlds.map((index) => playWorld(cluster, index, options, server, report)));
  return report;
}

async function playWorld(
  cluster: Cluster,
  index: number,
  { seed, rounds, restarts, entry, log }: FaultOptions,
  server: ServerHandle,
  report: FaultReport,
): Promise<void> {
  const replicas = index % 4 === 1 ? 2 : 1;
  await using world = await FaultWorld.create(cluster, { replicas, server, entry });
  const schedule = new Schedule(seed + index * 7919, { restarts: restarts && index === 0, replicas: replicas > 1 });
  for (let round = 1; round <= rounds; round += 1) {
    const plan = schedule.next();
    const wrong = await world.play(plan).catch((error: unknown) => [String((error as Error).stack)]);
    report.rounds += 1;
    if (wrong.length > 0) {
      report.failures.push(describe(seed, index, round, plan, wrong, world.replicas.lastLines));
      log?.(report.failures.at(-1)!);
      break;
    }
    log?.(`world ${index}: round ${round}, right after ${world.settledMs.at(-1)?.toFixed(0)} ms`);
  }
  add(report.steps, world.steps);
  add(report.met, world.replicas.met);
  report.settledMs.push(...world.settledMs);
}

function add(sums: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [name, count] of more) sums.set(name, (sums.get(name) ?? 0) + count);
}

function describe(seed: number, world: number, round: number, plan: Round, wrong: string[], lines: string): string {
  return [
    `seed ${seed}, world ${world}, round ${round}: the world is not what Git says at ${new Date().toISOString()}`,
    ...wrong.slice(0, 20).map((line) => `  ${line}`),
    'schedule:',
    ...plan.steps.map((step) => `  ${JSON.stringify(step).slice(0, 300)}`),
    lines,
    `again: npm run faults -- --seed ${seed} --world ${world} --rounds ${round}`,
  ].join('\n');
}

function table(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string' },
      worlds: { type: 'string', default: '4' },
      world: { type: 'string' },
    },
  });
  const seed = Number(values.seed ?? anySeed());
  const worlds = values.world === undefined ? [...Array(Number(values.worlds)).keys()] : [Number(values.world)];
  const rounds = Math.ceil(Number(values.rounds) / (values.world === undefined ? worlds.length : 1));
  console.log(`seed ${seed}: ${rounds} rounds in each of ${worlds.length} worlds`);
  const startedAt = performance.now();
  const app = mkdtempSync(join(tmpdir(), 'plumbline-app-'));
  await bundle(app, {
    operator: 'src/main.ts',
    'git-worker': 'src/git/worker.ts',
    'edge-thread': 'src/gate/thread.ts',
  });
  await using cluster = await preventCluster();
  const entry = join(app, 'operator.js');
  const log = (line: string) => console.log(line);
  const report = await runFaults(cluster, { seed, rounds, worlds, restarts: true, entry, log });
  rmSync(app, { recursive: true });
  const minutes = (performance.now() - startedAt) / 60_000;
  const sorted = report.settledMs.toSorted((a, b) => a - b);
  console.log(`${report.rounds} rounds in ${minutes.toFixed(1)} min, ${(report.rounds / minutes).toFixed(0)} a minute`);
  console.log(
    `right again after ${sorted[sorted.length >> 1]?.toFixed(0)} ms (median), ${sorted.at(-1)?.toFixed(0)} ms at most`,
  );
  console.log(`steps: ${table(report.steps)}\nrequests: ${table(report.met)}`);
  console.log(`${report.failures.length} worlds went wrong`);
  process.exitCode = report.failures.length > 0 ? 1 : 0;
}

if (import.meta.main) await main();
