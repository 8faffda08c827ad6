import type { Identity, KubeObject } from '../kube/object.ts';
import { fieldOf, isMap, parsePath, type FieldPath, type FieldStep } from './fields.ts';
import { matchesAny } from './managers.ts';
import { selects, type LabelSelector } from './selector.ts';
import type { Concession } from './surrender.ts';

/** One entry of `spec.drift.ignore`; an absent part of the target matches everything. */
export interface IgnoreRule {
  /**
   * JSON pointers, or paths as a drift report shows them: `/spec/replicas`, `/metadata/annotations/a.b~1c`,
   * `/spec/template/spec/containers[name=app]/image`. In a list `*` stands for every item: `…/containers[*]/image`.
   */
  readonly paths: readonly string[];
  readonly target?:
    | {
        readonly group?: string | undefined;
        readonly kind?: string | undefined;
        /** May hold `*`. */
        readonly namespace?: string | undefined;
        /** May hold `*`. */
        readonly name?: string | undefined;
        readonly labelSelector?: LabelSelector | undefined;
      }
    | undefined;
  /** Patterns. With them a field is ignored only while one of these managers holds it; without, for good. */
  readonly managers?: readonly string[] | undefined;
}

/** What the rules mean for one object. */
export interface IgnoredFields {
  /** Given up for good; each once, in order. */
  readonly paths: readonly string[];
  /** Left to these managers while they hold them. */
  readonly concessions: readonly Concession[];
}

const NOTHING: IgnoredFields = { paths: [], concessions: [] };

/** `labels` are the declared ones. */
export function ignoredFor(
  identity: Identity,
  labels: Readonly<Record<string, string>>,
  rules: readonly IgnoreRule[],
): IgnoredFields {
  const matching = rules.filter(({ target }) => !target || isTarget(target, identity, labels));
  if (matching.length === 0) return NOTHING;
  const paths = matching.filter(({ managers }) => !managers).flatMap((rule) => rule.paths);
  const concessions = matching.flatMap(({ managers, paths: bound }) => (managers ? [{ managers, paths: bound }] : []));
  return { paths: [...new Set(paths)], concessions };
}

function isTarget(
  { group, kind, namespace, name, labelSelector }: NonNullable<IgnoreRule['target']>,
  identity: Identity,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (group !== undefined && group !== identity.group) return false;
  if (kind !== undefined && kind !== identity.kind) return false;
  if (namespace !== undefined && !matchesAny([namespace], identity.namespace)) return false;
  if (name !== undefined && !matchesAny([name], identity.name)) return false;
  return labelSelector === undefined || selects(labelSelector, labels);
}

/**
 * The object without the fields at these paths. A path that names nothing is no error: one rule serves many objects. A path
 * that ends inside an atomic list or map changes that node for everybody; name the whole node instead. Shares what it does
 * not change with its input, and never changes the input.
 */
export function withoutPaths(declared: KubeObject, pointers: readonly string[]): KubeObject {
  let result: unknown = declared;
  for (const pointer of pointers) {
    const path = parsePath(pointer);
    if (path && !isIdentity(path)) result = without(result, path);
  }
  return result as KubeObject;
}

/** What makes the object this object cannot be ignored. */
export function isIdentity(path: readonly FieldStep[]): boolean {
  const [first, second] = path.map((step) => ('field' in step ? step.field : ''));
  if (first === 'apiVersion' || first === 'kind') return true;
  return first === 'metadata' && (second === undefined || second === 'name' || second === 'namespace');
}

function without(value: unknown, [step, ...rest]: FieldPath): unknown {
  const places = step ? placesOf(value, step) : [];
  // From the end, so that the indexes of the items before stay right.
  return places.reduceRight<unknown>((left, place) => withoutAt(left, place, rest), value);
}

function withoutAt(value: unknown, place: string | number, rest: FieldPath): unknown {
  if (Array.isArray(value)) {
    if (rest.length === 0) return value.toSpliced(Number(place), 1);
    return value.with(Number(place), without(value[Number(place)], rest));
  }
  const map = value as Record<string, unknown>;
  if (rest.length > 0) return { ...map, [place]: without(map[place], rest) };
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== place));
}

/** The names or indexes that a step of a rule means in this very value; `*` means every item of a list. */
export function placesOf(value: unknown, step: FieldStep): (string | number)[] {
  if (!Array.isArray(value))
    return 'field' in step && isMap(value) && Object.hasOwn(value, step.field) ? [step.field] : [];
  if ('field' in step && step.field === '*') return value.map((_, index) => index);
  const index = value.findIndex((item: unknown, position) => {
    if ('field' in step) return String(position) === step.field;
    if ('index' in step) return position === step.index;
    if ('value' in step) return String(item) === String(step.value);
    return Object.entries(step.key).every(([name, text]) => String(fieldOf(item, name)) === String(text));
  });
  return index < 0 ? [] : [index];
}
