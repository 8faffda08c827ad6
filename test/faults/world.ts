// One world of a fault run: carries out what the schedule says, makes peace, and compares what is with what should be.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freshNamespace, type Cluster } from '../cluster.ts';
import { Operator, World } from '../operator.ts';
import { crd } from '../team.ts';
import { until } from '../until.ts';
import { Additions } from './additions.ts';
import { collectionOf, SOURCES, type Places, type SourceName } from './declared.ts';
import type { Wanted } from './difference.ts';
import { Hands } from './hands.ts';
import { Inspection, SETTLE_MS } from './inspection.ts';
import { ApiProxy } from './proxy.ts';
import { Replicas, type Replica } from './replicas.ts';
import { Repositories } from './repositories.ts';
import { nameOf, type DeletionPolicy, type Edit, type Round, type Step } from './steps.ts';
import { Witness } from './witness.ts';

const USERNAME = 'git';

/** The API server, which all worlds share. */
export interface ServerHandle {
  restart: () => Promise<void>;
  /** Resolves when no restart is under way, and policies are known again to what began last. */
  calm: () => Promise<void>;
  /** How many have begun. */
  restarts: () => number;
}

export class FaultWorld implements AsyncDisposable {
  readonly replicas: Replicas;
  /** Steps carried out, by kind. */
  readonly steps = new Map<string, number>();
  readonly #world: World;
  readonly #hands: Hands;
  readonly #repositories: Repositories;
  readonly #witness: Witness;
  readonly #server: ServerHandle;
  readonly #caches: string;
  readonly #created = new Set<SourceName>();
  readonly #additions = new Additions();
  readonly #inspection: Inspection;
  #rotations = 0;

  private constructor(parts: {
    world: World;
    places: Places;
    repositories: Repositories;
    hands: Hands;
    replicas: Replicas;
    foreign: Wanted['foreign'];
    server: ServerHandle;
    caches: string;
  }) {
    this.#world = parts.world;
    this.#repositories = parts.repositories;
    this.#hands = parts.hands;
    this.replicas = parts.replicas;
    this.#server = parts.server;
    this.#caches = parts.caches;
    this.#witness = new Witness(parts.world.cluster, parts.places);
    this.#inspection = new Inspection({ ...parts, witness: this.#witness, additions: this.#additions });
  }

  /** How long the world took to be right after each round, in ms. */
  get settledMs(): number[] {
    return this.#inspection.settledMs;
  }

  /** `entry`: the operator, when it is not the source. */
  static async create(
    cluster: Cluster,
    { replicas: count, server, entry }: { replicas: 1 | 2; server: ServerHandle; entry?: string | undefined },
  ): Promise<FaultWorld> {
    const proxies = await Promise.all(Array.from({ length: count }, () => ApiProxy.start(cluster)));
    // As an emptyDir outlives a container that died.
    const caches = mkdtempSync(join(tmpdir(), 'plumbline-caches-'));
    const optionsOf = (name: string, via: ApiProxy) => ({
      via,
      movableClock: true,
      cacheDir: join(caches, name),
      args: [`--leader-elect=${count > 1}`, '--prevent-namespaces=*'],
      env: { POD_NAME: name, POD_UID: name },
      ...(entry !== undefined && { entry }),
    });
    const auth = { username: USERNAME, password: passwordOf(0) };
    const world = await World.create({ cluster, git: { auth }, ...optionsOf('replica-0', proxies[0]!) });
    const { namespace } = world;
    const group = `${namespace}.faults.example.com`;
    const places = { namespace, other: await freshNamespace(cluster, 'fault'), group };
    const hands = new Hands(cluster, places);
    const replicas = new Replicas(
      proxies.map((proxy, index): Replica => {
        const name = `replica-${index}`;
        const start = () => Operator.start(cluster, { namespace, ...optionsOf(name, proxy) });
        return { name, proxy, cacheDir: join(caches, name), start, operator: index === 0 ? world.operator : start() };
      }),
      () => hands.leaseHolder(),
    );
    const solo = await world.git.createRepository('solo');
    const repositories = new Repositories(world.git, world.repository, solo, places);
    const foreign = await prepare(world, places);
    return new FaultWorld({ world, places, repositories, hands, replicas, foreign, server, caches });
  }

  /** Carries the schedule out, makes peace, and resolves with what is wrong then. */
  async play(round: Round): Promise<string[]> {
    for (const step of round.steps) {
      const name = nameOf(step);
      this.steps.set(name, (this.steps.get(name) ?? 0) + 1);
      await this.#do(step);
      await delay(step.pauseMs);
    }
    this.#repositories.calm();
    this.replicas.calm();
    return this.#inspection.settle(round);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#witness[Symbol.asyncDispose]();
    await this.replicas[Symbol.asyncDispose]();
    await this.#world[Symbol.asyncDispose]();
    rmSync(this.#caches, { recursive: true, force: true });
  }

  async #do(step: Step): Promise<void> {
    const replicas = this.replicas;
    const hands = this.#hands;
    switch (step.do) {
      case 'push':
        await this.#repositories.push(step);
        return this.#createSources();
      case 'break':
        return this.#repositories.break(step.source);
      case 'edit':
        return this.#edit(step);
      case 'source':
        return hands.editSource(step.source, step.how);
      case 'mode':
        return hands.setMode(step.source, step.mode);
      case 'foreign':
        if (step.policy === 'Remove') this.#additions.removing(step.source);
        return hands.setForeignFields(step.source, step.policy);
      case 'hold':
        return hands.hold(step.source, step.for);
      case 'release':
        return hands.release(step.source, step.how, this.#repositories.tips[step.source]);
      case 'closeHealing':
        return hands.closeHealing(step.source);
      case 'unhealed':
        return hands.unhealed(step.source, step.key);
      case 'openHealing':
        return hands.openHealing(step.source, step.how);
      case 'depend':
        return hands.depend(step.source, step.on);
      case 'recreate':
        return this.#recreate(step.source, step.deletionPolicy);
      case 'rotate':
        return this.#rotate(step.first);
      case 'kill':
        return replicas.kill(step.cache);
      case 'start':
        return replicas.startAll();
      case 'freeze':
        return replicas.freeze(step.ms);
      case 'clock':
        for (const { operator } of replicas.all) operator.shiftClock(step.offsetMs);
        return;
      case 'git':
        return this.#repositories.disturb(step.fault, step.ms);
      case 'api':
        return (await replicas.leader()).proxy.arm(step.rule);
      case 'watches':
        return (await replicas.leader()).proxy.disturbWatches(step.fault);
      case 'restart':
        return this.#server.restart();
      case 'depose':
        return replicas.depose();
    }
  }

  async #edit({ key, how, ...who }: Edit): Promise<void> {
    // An API server that has just begun lets pass what it does not know the policies of yet.
    if (who.must === 'be refused') await this.#server.calm();
    const before = this.#server.restarts();
    const mayPass = () => this.#server.restarts() > before;
    const { status, body } = await this.#hands.edit({ key, how, ...who }, mayPass);
    if (status >= 300) return;
    if (how === 'note' || how === 'extra') this.#additions.made({ key, what: how, uid: body.metadata.uid! });
    if (how === 'unmanaged') this.#additions.unmanaged(key);
  }

  /** A source is made with the first push of its repository. */
  async #createSources(): Promise<void> {
    for (const source of SOURCES) {
      if (this.#created.has(source) || this.#repositories.tips[source] === '') continue;
      this.#created.add(source);
      await this.#hands.createSource(source, this.#repositories.of(source).url);
    }
  }

  async #recreate(source: SourceName, deletionPolicy: DeletionPolicy): Promise<void> {
    await this.#hands.deleteSource(source, deletionPolicy);
    const isGone = async () => {
      // Nothing is deleted while no operator runs.
      await this.replicas.startAll();
      return !(await this.#hands.sourceExists(source));
    };
    await until(isGone, { what: `the source ${source} is gone`, timeoutMs: SETTLE_MS, intervalMs: 100 });
    await this.#hands.createSource(source, this.#repositories.of(source).url, deletionPolicy);
  }

  async #rotate(first: 'server' | 'secret'): Promise<void> {
    const password = passwordOf((this.#rotations += 1));
    const server = () => void (this.#world.git.auth = { username: USERNAME, password });
    if (first === 'server') server();
    await this.#hands.setPassword(password);
    await delay(300);
    server();
  }
}

/** What is there before the first round. Returns an object that looks like ours and is not. */
async function prepare(world: World, places: Places): Promise<Wanted['foreign']> {
  const { namespace, group } = places;
  const definition = crd(group, 'Widget', 'widgets');
  await world.repository.write({ 'a/crd.yaml': definition });
  // It is there already, so that the witness can watch from the first object on; source a takes it over.
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await world.expect(201, 'POST', `${crds}?fieldManager=kubectl-create`, {
    body: definition,
    contentType: 'application/yaml',
  });
  const widgets = collectionOf('widgets', places);
  await until(async () => (await world.cluster.request('GET', widgets)).status === 200, { what: 'widgets are served' });
  await world.expect(201, 'POST', `/api/v1/namespaces/${namespace}/secrets`, {
    body: { metadata: { name: 'git' }, stringData: { username: USERNAME, password: passwordOf(0) } },
  });
  const labels = { 'plumbline.dev/name': 'a', 'plumbline.dev/namespace': namespace };
  const body = { metadata: { name: 'foreign', labels } };
  const { metadata } = await world.expect(201, 'POST', collectionOf('configmaps', places), { body });
  return { key: 'configmaps/foreign', version: metadata.resourceVersion! };
}

function passwordOf(rotation: number): string {
  return `password-${rotation}`;
}
