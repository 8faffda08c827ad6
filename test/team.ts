// One source with a repository of its own, in a World that many tests share and use side by side.
import { dump } from 'js-yaml';
import { NAME_LABEL, NAMESPACE_LABEL } from '../src/api/names.ts';
import type { GitOpsSource, GitOpsSourceSpecInput, GitOpsSourceStatus } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import type { Files, Repository, WriteOptions } from './git-repository.ts';
import type { World } from './operator.ts';
import { until } from './until.ts';

/** For what begins with the start of an operator process, which a busy machine delays. */
const PATIENCE_MS = 60_000;

type Failure = NonNullable<GitOpsSourceStatus['failures']>[number];

export class Team {
  readonly world: World;
  /** Of the source, and of its repository. */
  readonly name: string;
  readonly repository: Repository;

  private constructor(world: World, name: string, repository: Repository) {
    this.world = world;
    this.name = name;
    this.repository = repository;
  }

  /** `namespace/name` of the source. */
  get key(): string {
    return `${this.world.namespace}/${this.name}`;
  }

  /** The repository with a first commit, and a source that follows it. */
  static async create(
    world: World,
    name: string,
    files: Files,
    spec: Partial<GitOpsSourceSpecInput> = {},
  ): Promise<Team> {
    const repository = await world.git.createRepository(name);
    await repository.write(files);
    return Team.sharing(repository, world, name, spec);
  }

  /** A source over a repository that others may follow too. */
  static async sharing(
    repository: Repository,
    world: World,
    name: string,
    spec: Partial<GitOpsSourceSpecInput>,
  ): Promise<Team> {
    await world.createSource({ url: repository.url, ...spec }, name);
    return new Team(world, name, repository);
  }

  /** As `create`, and the first commit is applied as a whole. */
  static async ready(
    world: World,
    name: string,
    files: Files,
    spec: Partial<GitOpsSourceSpecInput> = {},
  ): Promise<Team> {
    const team = await Team.create(world, name, files, spec);
    await team.condition('Ready', 'True');
    return team;
  }

  /** Pushes; waits for nothing. */
  commit(files: Files, options?: WriteOptions): Promise<string> {
    return this.repository.write(files, 'change', options);
  }

  /** Pushes and waits until that commit is applied as a whole. */
  async push(files: Files): Promise<string> {
    const commit = await this.commit(files);
    await this.condition('Ready', 'True', { revision: commit });
    return commit;
  }

  condition(
    type: string,
    status: string,
    options: { reason?: string; revision?: string; timeoutMs?: number } = {},
  ): Promise<GitOpsSource> {
    return this.world.condition(type, status, { name: this.name, timeoutMs: PATIENCE_MS, ...options });
  }

  source(): Promise<GitOpsSource | undefined> {
    return this.world.source(this.name);
  }

  async status(): Promise<GitOpsSourceStatus> {
    return (await this.source())?.status ?? { observedGeneration: -1 };
  }

  patch(patch: object): Promise<void> {
    return this.world.patchSource(patch, this.name);
  }

  annotate(annotations: Record<string, string | null>): Promise<void> {
    return this.patch({ metadata: { annotations } });
  }

  delete(): Promise<void> {
    return this.world.deleteSource(this.name);
  }

  /** Waits until the source itself is gone. */
  async gone(): Promise<void> {
    await until(async () => (await this.source()) === undefined, {
      what: `the source ${this.name} is gone`,
      timeoutMs: PATIENCE_MS,
    });
  }

  /** Waits until the status names this object as failed (for this reason). */
  failure(object: string, reason?: string): Promise<Failure> {
    let last: GitOpsSourceStatus | undefined;
    return until(
      async () => {
        last = await this.status();
        return last.failures?.find((one) => one.name === object && (reason === undefined || one.reason === reason));
      },
      {
        what: `a failure of ${object}${reason === undefined ? '' : ` (${reason})`} in ${this.name}`,
        timeoutMs: PATIENCE_MS,
      },
    ).catch((cause: unknown) => {
      throw new Error(`${(cause as Error).message}\nstatus: ${JSON.stringify(last, null, 1)}`, { cause });
    });
  }

  /** What the operator wrote for this source, in order. */
  get writes(): string[] {
    const lines = this.world.operator.lines.filter(({ audit, source }) => audit && source === this.key);
    return lines.map(({ msg }) => msg!);
  }
}

/** Makes a ConfigMap anew as a backup tool restores it, or `kubectl replace --force`: labels, proof and all, with another uid. */
export function restore(
  world: World,
  { metadata: { name, labels, annotations }, ...rest }: KubeObject,
  data: Record<string, string>,
): Promise<KubeObject> {
  const body = { ...rest, metadata: { name, labels, annotations }, data };
  return world.expect(201, 'POST', world.path('v1/configmaps'), { body });
}

/** A manifest, as YAML. */
export function manifest(apiVersion: string, kind: string, name: string, fields: Record<string, unknown> = {}): string {
  const { metadata, ...rest } = fields as { metadata?: object };
  return dump({ apiVersion, kind, metadata: { name, ...metadata }, ...rest }, { noRefs: true });
}

/** A ConfigMap with annotations or other metadata. */
export function config(name: string, data: Record<string, string> = { key: 'value' }, metadata: object = {}): string {
  return manifest('v1', 'ConfigMap', name, { metadata, data });
}

export function deployment(
  name: string,
  {
    image = 'app:1',
    labels = { app: name },
    ...spec
  }: Record<string, unknown> & { image?: string; labels?: object } = {},
): string {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } };
  return manifest('apps/v1', 'Deployment', name, {
    spec: { replicas: 0, selector: { matchLabels: labels }, template, ...spec },
  });
}

/** A namespaced CRD of one version that keeps every field. */
export function crd(group: string, kind: string, plural: string, versions: readonly string[] = ['v1']): string {
  return manifest('apiextensions.k8s.io/v1', 'CustomResourceDefinition', `${plural}.${group}`, {
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      })),
    },
  });
}

/** The values of a ConfigMap; undefined when there is none. */
export async function dataOf(world: World, name: string): Promise<Record<string, string> | undefined> {
  return (await world.get(`v1/configmaps/${name}`))?.['data'] as Record<string, string> | undefined;
}

/** Waits until the ConfigMap is (or is no longer) there. */
export async function present(world: World, name: string, wanted = true): Promise<void> {
  await until(async () => ((await world.get(`v1/configmaps/${name}`)) !== undefined) === wanted, {
    what: `ConfigMap ${name} is ${wanted ? 'there' : 'gone'}`,
    timeoutMs: PATIENCE_MS,
  });
}

/** A merge patch that takes our labels off: the operator's watches lose the object. */
export const UNLABELLED = { metadata: { labels: { [NAME_LABEL]: null, [NAMESPACE_LABEL]: null } } };

/** Takes our labels off a ConfigMap, by hand. */
export async function unlabel(world: World, name: string): Promise<void> {
  await world.edit(`v1/configmaps/${name}`, UNLABELLED);
}
