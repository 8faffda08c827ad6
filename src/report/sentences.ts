import { APPROVE_ANNOTATION, SYNC_NOW_ANNOTATION } from '../api/names.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import { type Identity, describeIdentity } from '../kube/object.ts';
import { plural } from '../plural.ts';

/** An object that others changed, as the status shows it: its values are masked and short already. */
export type DriftedObject = NonNullable<GitOpsSourceStatus['drift']>['objects'][number];
/** An object that could not be applied, as the status shows it. */
export type FailedObject = NonNullable<GitOpsSourceStatus['failures']>[number];
/** An object that does not get what it asks for on the edge, as the status shows it. */
export type EdgeSetback = NonNullable<NonNullable<GitOpsSourceStatus['edge']>['setbacks']>['objects'][number];
/** An object that was there before us, and whose fields these managers had. */
export interface AdoptedObject {
  identity: Identity;
  managers: readonly string[];
}

/** The longest message that a Kubernetes event takes; ours keep to it everywhere. In UTF-16 units. */
export const MAX_MESSAGE = 1024;
const MAX_ITEM = 300;
const FIELDS_SHOWN = 3;

const WHAT_HAPPENED: Record<NonNullable<DriftedObject['action']>, [one: string, many: string]> = {
  Healed: ['object was changed by others and is put back', 'objects were changed by others and are put back'],
  Recreated: ['object was deleted by others and is back', 'objects were deleted by others and are back'],
  WaitingForWindow: [
    'object was changed by others and waits for a window',
    'objects were changed by others and wait for a window',
  ],
  Reported: ['object was changed by others and is left so', 'objects were changed by others and are left so'],
  Blocked: [
    'object was changed by others and cannot be put back',
    'objects were changed by others and cannot be put back',
  ],
  Foreign: ['object has fields that others added', 'objects have fields that others added'],
  Ignored: ['object differs where that is ignored', 'objects differ where that is ignored'],
  Rewritten: ['object is rewritten by admission when applied', 'objects are rewritten by admission when applied'],
  NotHolding: ['object is changed again after each repair', 'objects are changed again after each repair'],
};

/**
 * What others changed, in one line: how many objects, then the first of them with field, declared → live value and who did
 * it. `total` counts all objects when `objects` are only the first.
 */
export function sayDrift(objects: readonly DriftedObject[], total = objects.length): string {
  const actions = objects.map(({ action = 'Reported' }) => action);
  return list(sayCounts(actions, WHAT_HAPPENED, total), objects.map(sayDriftedObject), total);
}

/** `Deployment shop/web: /spec/replicas 3 → 5 by kubectl-edit`. */
function sayDriftedObject(object: DriftedObject): string {
  const shown = object.fields.slice(0, FIELDS_SHOWN).map(({ path, declared, live, manager, rate }) => {
    const change =
      declared === undefined && live === undefined ? '' : ` ${declared ?? '(not declared)'} → ${live ?? '(gone)'}`;
    return `${path}${change}${manager === undefined ? '' : ` by ${manager}`}${rate === undefined ? '' : ` (${rate})`}`;
  });
  const more = object.fields.length - shown.length;
  if (more > 0) shown.push(`${more} more field${more === 1 ? '' : 's'}`);
  return shown.length === 0 ? sayObject(object) : `${sayObject(object)}: ${shown.join(', ')}`;
}

/** That somebody no longer changes an object again and again, in one line. */
export function sayFightOver(object: DriftedObject, now: Date): string {
  const fought = object.fields.filter(({ rate }) => rate !== undefined);
  const paths = fought.slice(0, FIELDS_SHOWN).map(({ path }) => path);
  const managers = [...new Set(fought.flatMap(({ manager }) => manager ?? []))];
  const by = managers.length > 0 ? ` by ${managers.join(', ')}` : '';
  const minutes = Math.round((now.getTime() - Date.parse(object.since ?? now.toISOString())) / 60_000);
  const lasted = minutes < 1 ? '' : ` for ${minutes} min`;
  return shorten(
    `${sayObject(object)}: ${paths.join(', ')} was changed again and again${by}${lasted}; the last repair holds`,
    MAX_MESSAGE,
  );
}

const EDGE_STATES: Record<EdgeSetback['state'], [one: string, many: string]> = {
  Dropped: ['object is dropped by Emissary', 'objects are dropped by Emissary'],
  Unserved: ['object is not served', 'objects are not served'],
  Shadowed: ['object is shadowed', 'objects are shadowed'],
  Split: ['object shares its route with others', 'objects share their routes with others'],
};

/** What does not go as declared on the edge, in one line; the same object of two gateways counts twice. */
export function saySetbacks(objects: readonly EdgeSetback[], total = objects.length): string {
  const summary = sayCounts(
    objects.map(({ state }) => state),
    EDGE_STATES,
    total,
  );
  const items = objects.map((object) => `${sayObject(object)}${sayPlace(object)}: ${object.message}`);
  return list(summary, items, total);
}

/** What was taken over from whom, in one line. */
export function sayAdopted(objects: readonly AdoptedObject[], total = objects.length): string {
  const items = objects.map(({ identity, managers }) => {
    const from = managers.length > 0 ? ` from ${managers.join(', ')}` : '';
    return `${describeIdentity(identity)}${from}`;
  });
  return list(
    plural(total, 'object that existed already was taken over', 'objects that existed already were taken over'),
    items,
    total,
  );
}

/** Which objects could not be applied and why, in one line; `attempted` is how many the revision declares. */
export function sayFailures(failures: readonly FailedObject[], total: number, attempted: number): string {
  const items = failures.map((failure) => {
    return `${sayObject(failure)}${sayPlace(failure)}: ${failure.message}`;
  });
  return list(`${total} of ${attempted} objects could not be applied`, items, total);
}

/** A commit that waits, why, what it would do, and how it goes on. */
export function sayPending(pending: NonNullable<GitOpsSourceStatus['pending']>): string {
  const { revision, reason, until, create, configure, prune, findings } = pending;
  const plan = `it would create ${create}, change ${configure} and delete ${prune} objects`;
  const stop =
    findings.length > 0 ? `, and would be stopped at the edge: ${findings[0]!.rule} ${findings[0]!.message}` : '';
  if (reason === 'WaitingForApproval')
    return `${revision} waits for an approval: ${plan}${stop}. To approve: annotate the source with ${APPROVE_ANNOTATION}=${revision}`;
  const when = until === undefined ? 'for a window, and none is in sight' : `until ${until}, when a window opens`;
  return `${revision} waits ${when}: ${plan}${stop}. To apply it now: annotate the source with ${SYNC_NOW_ANNOTATION}=${revision}`;
}

/** What a reconciliation did: `2 created, 1 pruned, 37 unchanged`. Counts of zero are left out. */
export function sayChanges(counts: Readonly<Record<string, number>>): string {
  const said = Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
  return shorten(said.length > 0 ? said.join(', ') : 'no objects', MAX_MESSAGE);
}

/** `text` on one line, and cut. */
export function shorten(text: string, max: number): string {
  return cut(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), max);
}

/** At most `max` UTF-16 units; a cut is shown by an ellipsis and never splits a character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  // A high surrogate at the end has lost its other half.
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** `2 objects are …, 1 object is …`. */
function sayCounts<T extends string>(
  states: readonly T[],
  words: Readonly<Record<T, [one: string, many: string]>>,
  total: number,
): string {
  const counts = new Map<T, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  // The objects beyond the first ones are of the same kind, as far as anybody can tell from here.
  if (counts.size === 1) for (const state of counts.keys()) counts.set(state, total);
  return Array.from(counts, ([state, count]) => `${count} ${words[state][count === 1 ? 0 : 1]}`).join(', ');
}

function sayPlace({ file, line }: { file?: string | undefined; line?: number | undefined }): string {
  return file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`;
}

function sayObject({ group = '', kind, namespace = '', name }: Omit<DriftedObject, 'fields'>): string {
  return describeIdentity({ group, kind, namespace, name });
}

/** The opening, then as many items as fit into a message, then how many there are beyond them. */
function list(opening: string, items: readonly string[], total: number): string {
  let message = opening;
  let shown = 0;
  for (const item of items) {
    const next = `${message}${shown === 0 ? ': ' : '; '}${shorten(item, MAX_ITEM)}`;
    if (next.length > MAX_MESSAGE - ' … and 1000000 more'.length) break;
    message = next;
    shown += 1;
  }
  return shown > 0 && shown < total ? `${message} … and ${total - shown} more` : message;
}
