import { INITIAL_FIELD_MANAGER } from '../api/names.ts';
import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { ownable } from './coverage.ts';
import type { DriftedField } from './explain.ts';
import { entriesOfOthers, formatPath, isLeaf, ownedBy, ownEntry, stepOf, unionOf, type FieldPath } from './fields.ts';
import { FOREIGN_FIELDS } from './foreign-defaults.ts';
import { resolve, resolveBeside } from './lookup.ts';
import type { FieldPlace } from './system-fields.ts';
import { isHolder, reach, type Concession } from './surrender.ts';

export interface ForeignInput {
  readonly declared: KubeObject;
  /** In the declared apiVersion, with managedFields. */
  readonly live: KubeObject;
  /** Our server-side apply manager. */
  readonly manager: string;
  /** Who may have what beside us. */
  readonly tolerated: readonly Concession[];
}

/** The API server's name for whoever made an object whose managedFields are empty. */
const UNTRACKED = 'before-first-apply';

/** A field that somebody else owns and that nobody declared. */
export interface ForeignField {
  readonly path: FieldPath;
  readonly live: unknown;
  readonly owner: ManagedFieldsEntry;
}

/**
 * The fields that others added to an object of ours, from its managedFields: no request, and nothing is kept. A list item
 * that is wholly theirs is one field; maps are told field by field. Never among them: status and metadata other than labels
 * and annotations, what the system puts there (FOREIGN_FIELDS), what is declared (losing that is drift), what is given up,
 * what somebody tolerated holds as well, and what was there when managedFields were cleared: nobody knows any more what of that
 * others added, and what the API server had filled in. An entry in another version of the API names fields that may not exist in ours;
 * of it only the metadata is looked at.
 */
export function foreignFields(input: ForeignInput): ForeignField[] {
  const { declared, live, manager, tolerated } = input;
  const everywhere = tolerated.filter(({ paths }) => !paths);
  const others = entriesOfOthers(live, manager);
  const isTolerated = (entry: ManagedFieldsEntry): boolean =>
    entry.manager === INITIAL_FIELD_MANAGER ||
    entry.manager === UNTRACKED ||
    everywhere.some((concession) => isHolder(concession, entry));
  const strangers = others.filter(
    (entry) => !isTolerated(entry) && (entry.subresource === undefined || entry.subresource === 'scale'),
  );
  if (strangers.length === 0) return [];
  const ours = ownEntry(live, manager)?.fieldsV1 ?? {};
  const kept = unionOf([ours, ownedBy(others.filter(isTolerated))]);
  const places = FOREIGN_FIELDS.filter(({ kind }) => kind === undefined || kind === live.kind);
  const root = ownable(declared);
  const found = new Map<string, ForeignField>();
  for (const owner of strangers) {
    const mayHold = tolerated.filter((concession) => concession.paths && isHolder(concession, owner));
    const walk: Walk = { root, ours, live, owner, mayHold };
    for (const path of foreignPaths(walk, considered(owner, live.apiVersion), kept, places, [])) {
      const text = formatPath(path);
      const known = found.get(text);
      // Of several owners the latest is told.
      if (!known || (known.owner.time ?? '') <= (owner.time ?? ''))
        found.set(text, { path, live: resolve(live, path), owner });
    }
  }
  return [...found.values()];
}

/** What an entry says about labels, annotations and, in the version that we read, everything that is not metadata. */
function considered({ fieldsV1 = {}, apiVersion }: ManagedFieldsEntry, version: string): FieldsV1 {
  const { 'f:metadata': metadata = {}, ...rest } = fieldsV1;
  const { 'f:labels': labels, 'f:annotations': annotations } = metadata;
  const described = { ...(labels && { 'f:labels': labels }), ...(annotations && { 'f:annotations': annotations }) };
  return { ...(apiVersion === version && rest), ...(!isLeaf(described) && { 'f:metadata': described }) };
}

interface Walk {
  /** The declared object, see `ownable`. */
  readonly root: unknown;
  /** What we own of the live one. */
  readonly ours: FieldsV1;
  readonly live: KubeObject;
  readonly owner: ManagedFieldsEntry;
  /** Concessions of single paths to this owner. */
  readonly mayHold: readonly Concession[];
}

function foreignPaths(
  walk: Walk,
  node: FieldsV1,
  kept: FieldsV1 | undefined,
  places: readonly FieldPlace[],
  path: FieldPath,
): FieldPath[] {
  return Object.entries(node).flatMap(([trieKey, child]) => {
    const step = stepOf(trieKey);
    const last = path.at(-1);
    // The key of an item says which item it is; it comes and goes with it.
    const isKey = step && last && 'key' in last && 'field' in step && Object.hasOwn(last.key, step.field);
    if (!step || 'index' in step || isKey) return [];
    const matching = places.flatMap(({ path: [first, ...rest], shown }) =>
      first?.test(trieKey) ? [{ path: rest, shown }] : [],
    );
    if (matching.some(({ path: rest }) => rest.length === 0)) return [];
    return foreignAt(walk, child, kept?.[trieKey], matching, [...path, step]);
  });
}

function foreignAt(
  walk: Walk,
  node: FieldsV1,
  kept: FieldsV1 | undefined,
  places: readonly FieldPlace[],
  path: FieldPath,
): FieldPath[] {
  if (resolve(walk.live, path) === undefined || isConceded(walk, path)) return [];
  const isAlone = kept === undefined && resolveBeside(walk.root, path, walk.ours) === undefined;
  if (isLeaf(node)) return isAlone ? [path] : [];
  const below = foreignPaths(walk, node, kept, places, path);
  const isWholeItem = isAlone && 'key' in path.at(-1)! && '.' in node;
  return isWholeItem && !walk.mayHold.some((concession) => reach(concession, walk.live, path) === 'part')
    ? [path]
    : below;
}

function isConceded({ mayHold, live }: Walk, path: FieldPath): boolean {
  return mayHold.some((concession) => reach(concession, live, path) === 'all');
}

/** As a report tells it: nothing is declared there. Values are raw: mask before showing. */
export function foreignField({ path, live, owner }: ForeignField): DriftedField {
  const { manager, operation, subresource, time } = owner;
  return {
    path: formatPath(path),
    declared: undefined,
    live,
    ...(manager !== undefined && { manager }),
    ...(operation && { operation }),
    ...(subresource && { subresource }),
    ...(time !== undefined && { time }),
  };
}
