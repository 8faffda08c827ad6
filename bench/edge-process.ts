// The gate's judge in a process of its own, started as the operator is: edge-process.ts <mappings> <rounds> → one line of JSON.
import { readFileSync } from 'node:fs';
import { systemClock } from '../src/clock.ts';
import { DEFAULT_GUARD } from '../src/edge/guard.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeObject, type SecretShape } from '../src/edge/input.ts';
import { collectGarbage } from '../src/garbage.ts';
import { EdgeJudge } from '../src/gate/judge.ts';
import { EdgeThread } from '../src/gate/thread-client.ts';
import { EdgeWorld, type Shown } from '../src/gate/world.ts';
import { identityKey, identityOf, type KubeObject } from '../src/kube/object.ts';
import { memoryFirst, speedFirst } from '../src/speed-first.ts';
import type { Desired } from '../src/sync/desired.ts';
import { changed, edgeObjects } from './edge-objects.ts';
import { Body } from '../src/render/body.ts';

/** What the process says; times in milliseconds, memory in MB (10^6 bytes). */
export interface EdgeFigures {
  /** The first judgement of all objects, the start of the thread included, by the clock and by the processor. */
  first: number;
  firstProcessor: number;
  /** The same when every Mapping is another one, once the code is warm. */
  warm: number;
  warmProcessor: number;
  /** What the judge itself takes of that, without the message to its thread and what the gate shows it. */
  alone: number[];
  changes: number[];
  changesProcessor: number[];
  /** Resident before anything is judged (Node, the code, the objects as JSON), at most in the first judgement, and at most. */
  before: number;
  judged: number;
  peak: number;
  /** What a fixed loop takes before and after, by the processor: tells a slow machine from slow code. */
  loop: number[];
  findings: number;
}

const WARM_UP = 2;
const ALONE = 5;
const { signal } = new AbortController();
const thread = new EdgeThread(systemClock);

async function measure(mappings: number, rounds: number): Promise<EdgeFigures> {
  // As once the start is over: memory comes first, and what is declared is small.
  memoryFirst();
  await timedLoop();
  const loopBefore = await timedLoop();
  const revisions = [...revisionsOf(edgeObjects(mappings))];
  const world = new EdgeWorld(() => true);
  for (const [source, desired] of revisions) world.admit(source, { id: '', desired, first: [] });
  const publishing = revisions.filter(([, desired]) => desired.at(-1)!.identity.kind === 'Mapping');
  const secrets = secretsOf(edgeObjects(0));
  await Body.pack(
    revisions.flatMap(([, desired]) => desired.map(({ body }) => body)),
    signal,
  );
  collectGarbage();
  const before = resident('VmRSS');
  let findings = 0;
  const timed = async (candidates: ReadonlyMap<string, readonly Desired[]>) => {
    const [start, processor] = [performance.now(), process.cpuUsage()];
    const show = (shown: Shown) => world.show(shown, candidates);
    const question = {
      show,
      secrets,
      readers: new Set<string>(),
      settings: DEFAULT_EDGE_SETTINGS,
      guard: DEFAULT_GUARD,
    };
    findings = (await thread.ask(question, signal)).findings.length;
    const { user, system } = process.cpuUsage(processor);
    return { clock: performance.now() - start, processor: (user + system) / 1000 };
  };
  const first = await timed(new Map());
  const judged = resident('VmHWM');
  const changes: (typeof first)[] = [];
  for (let round = 0; round < rounds; round++) {
    const [source, desired] = publishing[(round * 37) % publishing.length]!;
    const at = desired.length - 1 - (round % 100);
    const revision = desired.with(at, changedOnce(desired[at]!, round));
    changes.push(await timed(new Map([[source, revision]])));
    world.admit(source, { id: '', desired: revision, first: [] });
  }
  const others = revisions.map(
    ([source, desired]) => [source, desired.map((one) => changedOnce(one, rounds))] as const,
  );
  const warm = await timed(new Map(others));
  const peak = resident('VmHWM');
  thread.close();
  const alone = await speedFirst(() => Promise.resolve(judgedAlone(revisions, secrets)));
  return {
    alone,
    first: first.clock,
    firstProcessor: first.processor,
    warm: warm.clock,
    warmProcessor: warm.processor,
    changes: changes.map(({ clock }) => clock),
    changesProcessor: changes.map(({ processor }) => processor),
    before,
    judged,
    peak,
    loop: [loopBefore, await timedLoop()],
    findings,
  };
}

/** Milliseconds of each judgement in which every Mapping is another one, in this thread, once the code is warm. */
function judgedAlone(
  revisions: readonly (readonly [string, readonly Desired[]])[],
  secrets: ReadonlyMap<string, SecretShape>,
): number[] {
  const judge = new EdgeJudge();
  const settings = { readers: new Set<string>(), settings: DEFAULT_EDGE_SETTINGS, guard: DEFAULT_GUARD };
  const times = Array.from({ length: WARM_UP + ALONE }, (_, round) => {
    const all = revisions.flatMap(([source, desired]) =>
      desired.map((one) => ({ source, one: changedOnce(one, round) })),
    );
    const put = {
      keys: all.map(({ one }) => one.key),
      bodies: all.map(({ one }) => one.body.text),
      sources: all.map(({ source }) => source),
      files: all.map(({ one }) => one.file),
      lines: all.map(({ one }) => one.line),
    };
    const start = performance.now();
    judge.take({ put, gone: [] });
    judge.judge({ secrets, ...settings });
    return performance.now() - start;
  });
  return times.slice(WARM_UP);
}

/** What each source declares. */
function revisionsOf(objects: readonly EdgeObject[]): Map<string, Desired[]> {
  const revisions = new Map<string, Desired[]>();
  for (const one of objects) {
    const source = one.origin.source!;
    const desired = revisions.get(source);
    if (desired) desired.push(desiredOf(one));
    else revisions.set(source, [desiredOf(one)]);
  }
  return revisions;
}

function changedOnce(desired: Desired, round: number): Desired {
  if (desired.identity.kind !== 'Mapping') return desired;
  const object = JSON.parse(desired.body.text) as KubeObject;
  return desiredOf(changed({ object, origin: desired }, round));
}

function desiredOf({ object, origin: { file, line } }: EdgeObject): Desired {
  const [identity, body] = [identityOf(object), JSON.stringify(object)];
  const policy = { prune: true, reconcile: true, ssa: 'Override' as const, force: false, adopt: false };
  return {
    identity,
    key: identityKey(identity),
    apiVersion: object.apiVersion,
    file: file!,
    line: line!,
    body: new Body(body),
    digest: '',
    policy,
  };
}

/** All certificates are there. */
function secretsOf(objects: readonly EdgeObject[]): Map<string, SecretShape> {
  const secrets = new Map<string, SecretShape>();
  for (const { object } of objects) {
    if (object.kind !== 'Host') continue;
    const { namespace } = object.metadata;
    const { name } = (object['spec'] as { tlsSecret: { name: string } }).tlsSecret;
    secrets.set(`${namespace}/${name}`, { name, namespace: namespace!, keys: new Set(['tls.crt', 'tls.key']) });
  }
  return secrets;
}

/** With the optimising compilers, as the judgements are. */
function timedLoop(): Promise<number> {
  return speedFirst(() => Promise.resolve(loop()));
}

function loop(): number {
  const before = process.threadCpuUsage();
  let sum = 0;
  for (let i = 0; i < 5e7; i++) sum = (sum * 31 + i) | 0;
  const { user, system } = process.threadCpuUsage(before);
  return sum === 0 ? NaN : (user + system) / 1000;
}

function resident(name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return (Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
}

const [mappings, rounds] = process.argv.slice(2).map(Number) as [number, number];
console.log(JSON.stringify(await measure(mappings, rounds)));
