import {
  parseSpec,
  type GitOpsSource,
  type GitOpsSourceSpec,
  type GitOpsSourceStatus,
  type ParsedSpec,
} from '../api/source.ts';
import { FINALIZER, FLUX_REQUESTED_AT_ANNOTATION, HEAL_NOW_ANNOTATION, REQUESTED_AT_ANNOTATION } from '../api/names.ts';
import type { Commit, Tip } from '../git/remote.ts';
import { identityKey, type Identity } from '../kube/object.ts';
import { RenderCache } from '../render/cache.ts';
import type { Placement } from '../render/placements.ts';
import type { DriftedObject } from '../report/sentences.ts';
import type { Desired } from '../sync/desired.ts';
import { shownAs } from './shown-drift.ts';
import { Timetable } from '../sync/windows.ts';
import type { Finding } from '../edge/finding.ts';
import type { EdgeReport } from '../gate/report.ts';
import type { UnlistedKind, WatchedKind } from '../drift/watches.ts';

/** An object that could not be written, and when it may be tried again. */
export interface Failure {
  identity: Identity;
  file?: string;
  line?: number;
  code: string;
  message: string;
  /** Of the declaration that failed; another one is tried at once. */
  digest: string;
  attempts: number;
  /** It had been applied before, and was to be put back; otherwise a commit is not applied yet. */
  isRepair: boolean;
  /** Monotonic milliseconds. */
  retryAt: number;
}

/** By key; without what `atomic` did not try because of these. */
export function triedFailures({ failures }: Pick<Source, 'failures'>): [string, Failure][] {
  return [...failures].filter(([, { code }]) => code !== 'NotAttempted');
}

/** A whole revision that was read and rendered. */
export interface Rendered {
  tip: Tip;
  commit: Commit;
  /** Together with `settings` (every setting that the objects depend on) it says that the objects are the same. */
  treeId: string;
  settings: string;
  desired: Desired[];
  /** The scopes that the objects were placed by; the cluster may have others by now. */
  placedBy: readonly Placement[];
  ignoredFiles: string[];
}

/** What ended the last run of a source. */
export type RunResult =
  | { kind: 'pending' }
  | { kind: 'suspended' }
  /** The first commit waits for a window or an approval: `pending`. */
  | { kind: 'waiting' }
  /** Every object of `revision` is applied. */
  | { kind: 'applied' }
  /** Applied in part: `failures` say what is missing. */
  | { kind: 'partly' }
  | { kind: 'failed'; code: string; message: string; terminal: boolean };

/** Why objects that are no longer in Git are still there. */
export interface PruneHold {
  code: string;
  message: string;
  /** After this time it is tried again; absent: a person has to approve. */
  retryMs?: number;
}

/** Does the API server refuse drift of this source; if not, why. */
export interface Prevention {
  active: boolean;
  code: string;
  message: string;
}

/**
 * Everything the process remembers about one GitOpsSource. It can all be lost: Git, the labelled objects and the resource
 * itself bring it back.
 */
export class Source {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  resource: GitOpsSource;
  parsed: ParsedSpec;
  /** What we wrote, or read at the start; conditions keep their transition times through it. */
  status: GitOpsSourceStatus;

  /**
   * The revision that Git has now, with its commit as soon as it is read; it need not be the one that is enforced. `isUnread`: Git
   * failed before it was known what it declares.
   */
  attempt: { revision: string; commit?: Commit; isUnread?: true } | undefined;
  rendered: Rendered | undefined;
  /**
   * Before the first run has let anything through: what was applied last, by key, which is most likely what it will let through.
   * undefined as well where it must be looked at what others have beside it.
   */
  expected: ReadonlyMap<string, Desired> | undefined;
  /**
   * The newest revision that could be read, while it is not enforced: it waits for a window, an approval or another source, or
   * the gate of the edge stops it. Nothing of it is deleted that others of the namespace let go meanwhile.
   */
  ahead: Rendered | undefined;
  /** The one before it, until everything live is known that it may have left behind (`lost-proof.ts`). */
  superseded: Rendered | undefined;
  readonly cache = new RenderCache();
  /** What is kept on disk for the process after this one. */
  kept: { whole: string; commit: string } | undefined;
  /** Kinds that are watched for this source. */
  kinds: WatchedKind[] = [];
  /** Kinds whose watch could not be established; their objects are not known completely. */
  unlisted: UnlistedKind[] = [];

  result: RunResult = { kind: 'pending' };
  /** A run is between claiming its objects and the end of writing them. */
  applying = false;
  /** A new revision is being worked on. */
  working: string | undefined;
  /** Why the newest revision waits: a source that this one depends on is at work on it. What is applied stands meanwhile. */
  behind: string | undefined;
  readonly failures = new Map<string, Failure>();
  pruneHold: PruneHold | undefined;
  /** Of which revision everything is applied, and what is to be deleted waits for others to read it (`deletion`: with the source); since when, monotonic milliseconds. */
  awaitsHeirs: { readonly revision: string; readonly since: number } | undefined;
  /** What its objects do on the edge; null: nothing; undefined: not known yet in this process. */
  edge: EdgeReport | null | undefined;
  /** The newest commit, when it waits; null: it does not; undefined: not known yet in this process. */
  pending: GitOpsSourceStatus['pending'] | null;
  /** When commits are applied and drift is healed. */
  timetable: Timetable;
  /** Why the newest commit is not let onto the edge. */
  edgeBlock: { revision: string; by: readonly Finding[]; message: string } | undefined;
  /** What became of `drift.mode: Prevent`; null: it is not asked for; undefined: not known yet in this process. */
  prevention: Prevention | null | undefined;
  /** Declared objects by key that differ now and are left, fought over, or rewritten. */
  readonly drift: Map<string, DriftedObject>;
  /** Declared objects by key that differ and are left so, with the digest of the declaration they were left at. */
  readonly left = new Map<string, string>();
  /** Declared objects by key that hold fields which others added; what is told of each, for the first ones. */
  readonly foreign = new Map<string, DriftedObject | undefined>();
  /** Declared objects by key with fields that are left to others and differ; what is told of each, for the first ones. */
  readonly ignored = new Map<string, DriftedObject | undefined>();
  /** `spec.drift` when the objects were judged by it last. */
  judgedBy: string | undefined;
  /** The last ones that were put back, newest first. */
  healed: DriftedObject[];
  healedCount: number;
  /** Tree id and settings of what was applied whole in this process; null: something else was begun since, maybe before this process. */
  appliedKey: string | null | undefined;
  /** The spec that was applied whole last when this process first saw the source; undefined: an older one, which nobody knows. */
  readonly appliedSpec: GitOpsSourceSpec | undefined;
  /** The source has run in an earlier process, but what it manages is not written in its status: the cluster must tell. */
  inventoryLost: boolean;
  /** A prune of this process has looked for objects that lost their labels, and none went out of sight since. */
  pruned = false;
  /** Of the source when its last revision was applied whole. */
  appliedGeneration: number | undefined;
  /** Of the source when its objects were tried last; before this process, when they were applied whole. */
  triedGeneration: number | undefined;
  /** `spec.wait`: since when its objects have been on their way to be healthy; monotonic milliseconds. */
  onItsWaySince: number | undefined;
  /** Consecutive failed runs, for the backoff. */
  retries = 0;
  /** How often its objects were tried to be deleted, because the source itself is. */
  deletions = 0;
  /** The next run lists and compares everything. */
  verifyDue = false;
  /** The last look is tried again after this time, because a kind could not be listed. */
  verifyAgain: { readonly waitMs: number; readonly cancel: () => void } | undefined;
  /** Whether drift can be told: false while Git has not been read once in this process. */
  judged = false;
  #served: ReadonlySet<string>;
  readonly #ahead = Promise.withResolvers<void>();

  constructor(resource: GitOpsSource) {
    this.namespace = resource.metadata.namespace;
    this.name = resource.metadata.name;
    this.key = `${this.namespace}/${this.name}`;
    this.resource = resource;
    this.parsed = parseSpec(resource.spec, this.namespace);
    this.timetable = new Timetable(this.spec?.windows ?? []);
    this.status = resource.status ?? { observedGeneration: -1 };
    this.inventoryLost = !this.status.inventory && (resource.metadata.finalizers ?? []).includes(FINALIZER);
    // An edit that is observed need not be applied: the gate of the edge may have stopped it. Older statuses do not tell.
    const { lastAppliedGeneration = this.status.observedGeneration } = this.status;
    this.appliedSpec = lastAppliedGeneration === this.generation ? this.spec : undefined;
    this.appliedKey = isHalfApplied(this.status) ? null : undefined;
    this.triedGeneration = lastAppliedGeneration;
    // The status echoes one of them; the run at the start answers whatever else was asked.
    const echoed = requestsIn(resource).includes(this.status.lastHandledReconcileAt ?? '');
    this.#served = new Set(echoed ? requestsIn(resource) : []);
    const { healedCount = 0, objects = [] } = this.status.drift ?? {};
    this.healedCount = healedCount;
    // What was told goes on being told after a restart, until it is found otherwise.
    this.healed = objects.filter(isPutBack);
    const open = objects.filter((object) => !isPutBack(object)).map(afterRestart);
    this.drift = new Map(open.map((object) => [keyOf(object), object]));
    this.#hideValues();
  }

  /** Takes a newer resource; the status stays ours. Of a new spec nothing is known until a run has ended. */
  update(resource: GitOpsSource): void {
    const { generation } = this;
    this.resource = resource;
    if (this.generation === generation) return;
    this.parsed = parseSpec(resource.spec, this.namespace);
    this.timetable = new Timetable(this.spec?.windows ?? []);
    this.#hideValues();
    // A suspended one keeps what it last was.
    if (!this.spec?.suspend) this.result = { kind: 'pending' };
  }

  /** Who makes `drift.values` stricter means what is told already, too. */
  #hideValues(): void {
    const mode = this.spec?.drift.values ?? 'Show';
    if (mode === 'Show') return;
    const shown = (object: DriftedObject) => shownAs(object, mode);
    this.healed = this.healed.map(shown);
    for (const [key, object] of this.drift) this.drift.set(key, shown(object));
    for (const known of [this.foreign, this.ignored])
      for (const [key, object] of known) if (object) known.set(key, shown(object));
    // Told on until the objects have been judged once.
    const { drift } = this.status;
    if (!drift) return;
    const besides = [drift.foreign, drift.ignored].map((told) => told && { ...told, objects: told.objects.map(shown) });
    const [foreign, ignored] = besides;
    this.status = { ...this.status, drift: { ...drift, ...(foreign && { foreign }), ...(ignored && { ignored }) } };
  }

  /** Resolves when `expected` is known, or when that cannot be had. */
  get readAhead(): Promise<void> {
    return this.#ahead.promise;
  }

  /** Nothing more is known before Git has answered. */
  endReadAhead(): void {
    this.#ahead.resolve();
  }

  get spec(): GitOpsSourceSpec | undefined {
    return this.parsed.ok ? this.parsed.spec : undefined;
  }

  get generation(): number {
    return this.resource.metadata.generation ?? 0;
  }

  get deleting(): boolean {
    return this.resource.metadata.deletionTimestamp !== undefined;
  }

  /** The tokens of requests to reconcile now that have not been served yet: at most one of each annotation. */
  get requests(): string[] {
    return requestsIn(this.resource).filter((token) => !this.#served.has(token));
  }

  /** The token of a request to heal once what waits for a window, until it is served. */
  get healNow(): string | undefined {
    const token = this.resource.metadata.annotations?.[HEAL_NOW_ANNOTATION]?.slice(0, 256);
    return token && token !== this.status.lastHandledHealNow ? token : undefined;
  }

  /** Is drift only told now, because a window says so? `now` in milliseconds since the epoch. */
  waitsToHeal(now: number): boolean {
    const { spec } = this;
    return spec !== undefined && spec.drift.mode !== 'Report' && !this.timetable.at('heal', now).open;
  }

  /** Echoes the requests that a run has answered, well or not. */
  serve(requests: readonly string[]): void {
    const last = requests.at(-1);
    if (last === undefined) return;
    this.#served = new Set([...requestsIn(this.resource).filter((token) => this.#served.has(token)), ...requests]);
    this.status = { ...this.status, lastHandledReconcileAt: last };
  }
}

/** Of two tools that ask, each has an annotation of its own. */
function requestsIn({ metadata }: GitOpsSource): string[] {
  const { [REQUESTED_AT_ANNOTATION]: ours, [FLUX_REQUESTED_AT_ANNOTATION]: flux } = metadata.annotations ?? {};
  return [flux, ours].flatMap((token) => (token ? [token.slice(0, 256)] : []));
}

/** Was something else begun, a commit or an edit of the source, after what was applied whole last? */
function isHalfApplied(status: GitOpsSourceStatus): boolean {
  const { lastAppliedRevision, lastReleasedRevision = lastAppliedRevision } = status;
  const { observedGeneration, lastAppliedGeneration = observedGeneration } = status;
  return lastReleasedRevision !== lastAppliedRevision || lastAppliedGeneration !== observedGeneration;
}

function isPutBack({ action }: DriftedObject): boolean {
  return action === 'Healed' || action === 'Recreated';
}

/** A fight is one that this process has seen. */
function afterRestart(object: DriftedObject): DriftedObject {
  if (object.action !== 'NotHolding') return object;
  const fields = object.fields.map((field) => {
    const { rate: _, ...rest } = field;
    return rest;
  });
  return { ...object, action: 'Reported', fields };
}

function keyOf({ group = '', kind, namespace = '', name }: DriftedObject): string {
  return identityKey({ group, kind, namespace, name });
}
