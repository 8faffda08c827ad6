import type { Identity, KubeObject } from '../kube/object.ts';
import { fieldOf, isMap, parsePath, type FieldStep } from './fields.ts';
import { matchesAny } from './managers.ts';

/** One entry of `spec.drift.ignore`; an absent part of the target matches everything. */
export interface IgnoreRule {
  /**
   * JSON pointers, or paths as a drift report shows them: `/spec/replicas`, `/metadata/annotations/a.b~1c`,
   * `/spec/template/spec/containers[name=app]/image`.
   */
  readonly paths: readonly string[];
  readonly target?: {
    readonly group?: string;
    readonly kind?: string;
    /** May hold `*`. */
    readonly namespace?: string;
    /** May hold `*`. */
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** The paths that the rules name for one object, each once, in order. `labels` are the declared ones. */
export function ignoreRulesFor(
  identity: Identity,
  labels: Readonly<Record<string, string>>,
  rules: readonly IgnoreRule[],
): string[] {
  const paths = rules
    .filter(({ target }) => !target || isTarget(target, identity, labels))
    .flatMap((rule) => rule.paths);
  return [...new Set(paths)];
}

function isTarget(
  target: NonNullable<IgnoreRule['target']>,
  identity: Identity,
  labels: Readonly<Record<string, string>>,
): boolean {
  const { group, kind, namespace, name } = target;
  if (group !== undefined && group !== identity.group) return false;
  if (kind !== undefined && kind !== identity.kind) return false;
  if (namespace !== undefined && !matchesAny([namespace], identity.namespace)) return false;
  if (name !== undefined && !matchesAny([name], identity.name)) return false;
  return Object.entries(target.labels ?? {}).every(([label, value]) => labels[label] === value);
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

function without(value: unknown, [step, ...rest]: readonly FieldStep[]): unknown {
  const place = step && placeOf(value, step);
  if (place === undefined) return value;
  if (Array.isArray(value)) {
    if (rest.length === 0) return value.toSpliced(Number(place), 1);
    return value.with(Number(place), without(value[Number(place)], rest));
  }
  const map = value as Record<string, unknown>;
  if (rest.length > 0) return { ...map, [place]: without(map[place], rest) };
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== place));
}

/** The name or index that a step means in this very value; undefined when it is not there. */
export function placeOf(value: unknown, step: FieldStep): string | number | undefined {
  if (!Array.isArray(value))
    return 'field' in step && isMap(value) && Object.hasOwn(value, step.field) ? step.field : undefined;
  const index = value.findIndex((item: unknown, position) => {
    if ('field' in step) return String(position) === step.field;
    if ('index' in step) return position === step.index;
    if ('value' in step) return String(item) === String(step.value);
    return Object.entries(step.key).every(([name, text]) => String(fieldOf(item, name)) === String(text));
  });
  return index < 0 ? undefined : index;
}
