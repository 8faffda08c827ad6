import type { Condition, NewCondition } from '../api/conditions.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import { type DriftedObject, type EdgeSetback, cut, shorten } from './sentences.ts';

/** The lists that may lose their last entries. Those of the status that are missing here always stay whole. */
interface Lists {
  driftObjects: DriftedObject[];
  foreignObjects: DriftedObject[];
  ignoredObjects: DriftedObject[];
  failures: NonNullable<GitOpsSourceStatus['failures']>;
  ignoredFiles: string[];
  healthReasons: NonNullable<GitOpsSourceStatus['health']>['reasons'];
  history: NonNullable<GitOpsSourceStatus['history']>;
  edgeFindings: NonNullable<GitOpsSourceStatus['edge']>['findings'];
  edgeSetbacks: EdgeSetback[];
  pendingObjects: NonNullable<GitOpsSourceStatus['pending']>['objects'];
  pendingFindings: EdgeFinding[];
}
type EdgeFinding = NonNullable<GitOpsSourceStatus['edge']>['findings'][number];
type ListName = keyof Lists;

const LIST_NAMES = [
  'driftObjects',
  'foreignObjects',
  'ignoredObjects',
  'failures',
  'ignoredFiles',
  'healthReasons',
  'history',
  'edgeFindings',
  'edgeSetbacks',
  'pendingObjects',
  'pendingFindings',
] as const;
/** What the schema allows for a path, of a file or a field, and for a value. */
const PATH = 1024;
const VALUE = 512;
/** What `truncated` itself needs at most. */
const NOTE_BYTES = 384;

/**
 * The status as it may be written: every list and text within its own cap (STATUS_LIMITS), and the whole within 64 KiB of
 * JSON. For that, entries are dropped from the end of whichever list is the longest in bytes; `truncated` says how many are
 * missing from which. Conditions and `inventory.kinds` stay whole: a kind that is not written down is a kind whose objects
 * nobody finds again. The counts are the caller's. Leaves `status` as it is.
 */
export function capStatus(status: GitOpsSourceStatus): GitOpsSourceStatus {
  const { truncated: _, ...whole } = status;
  const all = listsOf(whole);
  const short = withShortTexts(withLists(whole, all, STATUS_LIMITS));
  const lists = listsOf(short);
  const rest = bytesOf(
    withLists(
      short,
      lists,
      eachList(() => 0),
    ),
  );
  const sizes = eachList((name) => lists[name].map(bytesOf));
  const kept = fitting(sizes, STATUS_LIMITS.bytes - NOTE_BYTES - rest);

  const missing = LIST_NAMES.map((name) => [name, all[name].length - kept[name]] as const);
  const truncated = Object.fromEntries(missing.filter(([, count]) => count > 0));
  const result = withLists(short, lists, kept);
  return Object.keys(truncated).length > 0 ? { ...result, truncated } : result;
}

/** How many entries of each list stay when together they may take `room` bytes; `sizes` are the bytes of each entry. */
function fitting(sizes: Record<ListName, number[]>, room: number): Record<ListName, number> {
  const kept = eachList((name) => sizes[name].length);
  const bytes = eachList((name) => sizes[name].reduce((sum, size) => sum + size, 0));
  for (;;) {
    const longest = LIST_NAMES.reduce((a, b) => (bytes[b] > bytes[a] ? b : a));
    const total = LIST_NAMES.reduce((sum, name) => sum + bytes[name], 0);
    if (total <= room || kept[longest] === 0) return kept;
    kept[longest] -= 1;
    bytes[longest] -= sizes[longest][kept[longest]] ?? 0;
  }
}

function eachList<T>(value: (name: ListName) => T): Record<ListName, T> {
  return Object.fromEntries(LIST_NAMES.map((name) => [name, value(name)])) as Record<ListName, T>;
}

function listsOf(status: GitOpsSourceStatus): Lists {
  return {
    driftObjects: status.drift?.objects ?? [],
    foreignObjects: status.drift?.foreign?.objects ?? [],
    ignoredObjects: status.drift?.ignored?.objects ?? [],
    failures: status.failures ?? [],
    ignoredFiles: status.ignoredFiles?.names ?? [],
    healthReasons: status.health?.reasons ?? [],
    history: status.history ?? [],
    edgeFindings: status.edge?.findings ?? [],
    edgeSetbacks: status.edge?.setbacks?.objects ?? [],
    pendingObjects: status.pending?.objects ?? [],
    pendingFindings: status.pending?.findings ?? [],
  };
}

/** The status with so many entries of each list, the first ones. */
function withLists(status: GitOpsSourceStatus, lists: Lists, kept: Record<ListName, number>): GitOpsSourceStatus {
  const { drift, failures, ignoredFiles, health, history, edge, pending } = status;
  return {
    ...status,
    ...(drift && {
      drift: {
        ...drift,
        objects: lists.driftObjects.slice(0, kept.driftObjects),
        ...(drift.foreign && {
          foreign: { ...drift.foreign, objects: lists.foreignObjects.slice(0, kept.foreignObjects) },
        }),
        ...(drift.ignored && {
          ignored: { ...drift.ignored, objects: lists.ignoredObjects.slice(0, kept.ignoredObjects) },
        }),
      },
    }),
    ...(failures && { failures: lists.failures.slice(0, kept.failures) }),
    ...(ignoredFiles && { ignoredFiles: { ...ignoredFiles, names: lists.ignoredFiles.slice(0, kept.ignoredFiles) } }),
    ...(health && { health: { ...health, reasons: lists.healthReasons.slice(0, kept.healthReasons) } }),
    ...(history && { history: lists.history.slice(0, kept.history) }),
    ...(edge && {
      edge: {
        ...edge,
        findings: lists.edgeFindings.slice(0, kept.edgeFindings),
        ...(edge.setbacks && {
          setbacks: { ...edge.setbacks, objects: lists.edgeSetbacks.slice(0, kept.edgeSetbacks) },
        }),
      },
    }),
    ...(pending && {
      pending: {
        ...pending,
        objects: lists.pendingObjects.slice(0, kept.pendingObjects),
        findings: lists.pendingFindings.slice(0, kept.pendingFindings),
      },
    }),
  };
}

/** The API server refuses the whole status for one text that is too long. */
function withShortTexts(status: GitOpsSourceStatus): GitOpsSourceStatus {
  const { conditions, commit, drift, failures, ignoredFiles, health, history, edge, pending } = status;
  return {
    ...status,
    ...(conditions && {
      conditions: conditions.map((condition) => ({
        ...condition,
        message: cut(condition.message, STATUS_LIMITS.conditionMessage),
      })),
    }),
    ...(commit && { commit: { ...commit, author: cut(commit.author, 256), subject: cut(commit.subject, 200) } }),
    ...(drift && { drift: briefDrift(drift) }),
    ...(failures && { failures: failures.map(brief) }),
    ...(ignoredFiles && {
      ignoredFiles: { ...ignoredFiles, names: ignoredFiles.names.map((name) => cut(name, PATH)) },
    }),
    ...(health && { health: { ...health, reasons: health.reasons.map(brief) } }),
    ...(history && { history: history.map(brief) }),
    ...(edge && { edge: briefEdge(edge) }),
    ...(pending && { pending: briefPending(pending) }),
  };
}

/** With a message and a file name that are not too long. */
function brief<T extends { message?: string | undefined; file?: string | undefined }>(entry: T): T {
  return {
    ...entry,
    ...(entry.message !== undefined && { message: cut(entry.message, STATUS_LIMITS.message) }),
    ...(entry.file !== undefined && { file: cut(entry.file, PATH) }),
  };
}

function briefDrift(drift: NonNullable<GitOpsSourceStatus['drift']>): typeof drift {
  const { objects, foreign, ignored } = drift;
  const short = (some: readonly DriftedObject[]) => some.map(brief).map(withShortFields);
  return {
    ...drift,
    objects: short(objects),
    ...(foreign && { foreign: { ...foreign, objects: short(foreign.objects) } }),
    ...(ignored && { ignored: { ...ignored, objects: short(ignored.objects) } }),
  };
}

function briefPending(pending: NonNullable<GitOpsSourceStatus['pending']>): typeof pending {
  const { pruneBlocked, objects, findings } = pending;
  return {
    ...pending,
    ...(pruneBlocked !== undefined && { pruneBlocked: cut(pruneBlocked, STATUS_LIMITS.message) }),
    objects: objects.map(brief),
    findings: findings.map(briefFinding),
  };
}

function briefEdge(edge: NonNullable<GitOpsSourceStatus['edge']>): typeof edge {
  const { findings, setbacks } = edge;
  return {
    ...edge,
    findings: findings.map(briefFinding),
    ...(setbacks && { setbacks: { ...setbacks, objects: setbacks.objects.map(brief) } }),
  };
}

function briefFinding(finding: EdgeFinding): EdgeFinding {
  const { mend, host, path, other } = finding;
  return {
    ...brief(finding),
    mend: cut(mend, STATUS_LIMITS.message),
    ...(host !== undefined && { host: cut(host, 253) }),
    ...(path !== undefined && { path: cut(path, PATH) }),
    ...(other && { other: brief(other) }),
  };
}

function withShortFields(object: DriftedObject): DriftedObject {
  const fields = object.fields.slice(0, STATUS_LIMITS.driftFields).map((field) => ({
    ...field,
    path: cut(field.path, PATH),
    ...(field.declared !== undefined && { declared: cut(field.declared, VALUE) }),
    ...(field.live !== undefined && { live: cut(field.live, VALUE) }),
  }));
  return { ...object, fields };
}

/** In JSON, with the comma or bracket that goes with it. */
function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}

/** A condition whose message is no longer than a status may hold. */
export function condition(
  type: Condition['type'],
  status: Condition['status'],
  reason: string,
  message: string,
): NewCondition {
  return { type, status, reason, message: shorten(message, STATUS_LIMITS.conditionMessage) };
}
