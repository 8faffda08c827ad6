// The Git side of one world: two repositories on one server, what was pushed to them, and how the server fails.
import { setTimeout as delay } from 'node:timers/promises';
import type { GitFault, GitServer } from '../git-server.ts';
import type { Files, Repository } from '../git-repository.ts';
import { fileOf, folderOf, manifestOf, SOURCES, type Declared, type Places, type SourceName } from './declared.ts';
import type { GitFaultName } from './steps.ts';
import type { Push } from './pushes.ts';

type Declarations = Record<SourceName, Declared>;

export class Repositories {
  readonly #git: GitServer;
  readonly #shared: Repository;
  readonly #solo: Repository;
  readonly #places: Places;
  readonly #declared: Declarations = { a: new Map(), b: new Map(), c: new Map() };
  readonly #pushed = new Map<string, Declarations>();
  /** The newest commit for each source. */
  readonly tips: Record<SourceName, string> = { a: '', b: '', c: '' };
  readonly #broken = new Set<Repository>();
  #calmed = Promise.withResolvers<void>();

  constructor(git: GitServer, shared: Repository, solo: Repository, places: Places) {
    this.#git = git;
    this.#shared = shared;
    this.#solo = solo;
    this.#places = places;
  }

  of(source: SourceName): Repository {
    return source === 'c' ? this.#solo : this.#shared;
  }

  /** What a commit declares of a source; undefined when nobody pushed it. */
  declaredBy(commit: string, source: SourceName): Declared | undefined {
    return this.#pushed.get(commit)?.[source];
  }

  /** Mends what was broken, too. */
  async push({ how, put, drop }: Push): Promise<void> {
    for (const [source, key] of drop) this.#declared[source].delete(key);
    for (const [source, key, value] of put) this.#declared[source].set(key, value);
    for (const repository of [this.#shared, this.#solo]) {
      const files: Files = {};
      for (const [source, key] of drop) if (this.of(source) === repository) files[fileOf(source, key)] = null;
      for (const [source, key, value] of put) {
        if (this.of(source) === repository) files[fileOf(source, key)] = manifestOf(key, value, this.#places);
      }
      if (this.#broken.delete(repository)) for (const source of SOURCES) files[brokenFile(source)] = null;
      if (Object.keys(files).length > 0) await this.#commit(repository, files, how);
    }
  }

  /** A commit that cannot be read as manifests. */
  async break(source: SourceName): Promise<void> {
    const repository = this.of(source);
    this.#broken.add(repository);
    await this.#commit(repository, { [brokenFile(source)]: 'kind: [' }, 'commit');
  }

  /** The server fails in this way for a while, or until `calm`. */
  disturb(fault: GitFaultName, ms: number): void {
    const { promise: calmed } = this.#calmed;
    const over = Promise.race([calmed, delay(ms, undefined, { ref: false })]);
    const answers: Record<GitFaultName, () => GitFault | Promise<GitFault>> = {
      reset: () => 'reset',
      hang: () => over.then((): GitFault => 'reset'),
      slow: () => Promise.race([calmed, delay(400)]).then((): GitFault => 'pass'),
      unavailable: () => ({ status: 503 }),
      truncated: () => ({ truncateAfterBytes: 300 }),
      stalled: () => ({ stallAfterBytes: 20 }),
      corrupt: () => 'corrupt',
      gone: () => ({ status: 404 }),
    };
    const broken = (this.#git.fault = answers[fault]);
    void over.then(() => {
      if (this.#git.fault === broken) delete this.#git.fault;
    });
  }

  calm(): void {
    this.#calmed.resolve();
    this.#calmed = Promise.withResolvers();
    delete this.#git.fault;
    this.#git.hangUp();
  }

  async #commit(repository: Repository, files: Files, how: string): Promise<void> {
    const commit = await repository.write(files, 'change', { amend: how !== 'commit' });
    if (how === 'forget') {
      const at = `--git-dir=${repository.bare}`;
      await repository.git(at, 'reflog', 'expire', '--expire=now', '--all');
      await repository.git(at, 'prune', '--expire=now');
    }
    const { a, b, c } = this.#declared;
    this.#pushed.set(commit, { a: new Map(a), b: new Map(b), c: new Map(c) });
    for (const source of SOURCES) if (this.of(source) === repository) this.tips[source] = commit;
  }
}

function brokenFile(source: SourceName): string {
  return `${folderOf(source)}broken.yaml`;
}
