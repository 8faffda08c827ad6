import type { Identity, KubeObject } from '../kube/object.ts';
import { parsePath, type FieldPath, type FieldStep } from './fields.ts';
import { placesOf } from './lookup.ts';
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
 * The object without the fields at these paths; each names what it means in the object as it is. A path that names nothing is no
 * error: one rule serves many objects. A path that ends inside an atomic list or map changes that node for everybody; name the
 * whole node instead. Shares what it does not change with its input, and never changes the input.
 */
export function withoutPaths(declared: KubeObject, pointers: readonly string[]): KubeObject {
  const paths = pointers.flatMap((pointer) => {
    const path = parsePath(pointer);
    return path && !isIdentity(path) ? [path] : [];
  });
  return without(declared, paths, 0) as KubeObject;
}

/** What makes the object this object cannot be ignored. */
export function isIdentity(path: readonly FieldStep[]): boolean {
  const [first, second] = path.map((step) => ('field' in step ? step.field : ''));
  if (first === 'apiVersion' || first === 'kind') return true;
  return first === 'metadata' && (second === undefined || second === 'name' || second === 'namespace');
}

/** `value` is where the first `depth` steps of each path lead to. */
function without(value: unknown, paths: readonly FieldPath[], depth: number): unknown {
  const meant = paths.flatMap((path) => placesOf(value, path[depth]!).map((place) => ({ place, path })));
  if (meant.length === 0) return value;
  const below = Map.groupBy(meant, ({ place }) => place);
  const left = (place: string | number, child: unknown): unknown[] => {
    const led = (below.get(place) ?? []).map(({ path }) => path);
    return led.some((path) => path.length === depth + 1) ? [] : [without(child, led, depth + 1)];
  };
  if (Array.isArray(value)) return value.flatMap((item, place) => left(place, item));
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.flatMap(([name, child]) => left(name, child).map((rest) => [name, rest])));
}
