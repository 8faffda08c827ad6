import { once } from '../once.ts';
import { parsePath, type FieldPath, type FieldStep } from './fields.ts';
import { placeIn, placesOf, resolveDeclared } from './lookup.ts';

/** Where several patterns have come to by the same steps. */
class PatternNode {
  /** One of them ends here. */
  isEnd = false;
  readonly #next = new Map<string, { step: FieldStep; node: PatternNode }>();
  readonly #inList = once((list: readonly unknown[]) => {
    const steps = [...this.#next.values()];
    const places = steps.flatMap(({ step, node }) => placesOf(list, step).map((place) => ({ place, node })));
    return Map.groupBy(places, ({ place }) => place);
  });

  get isLast(): boolean {
    return this.#next.size === 0;
  }

  /** The node after one more step. */
  grow(step: FieldStep): PatternNode {
    const text = JSON.stringify(step);
    const known = this.#next.get(text) ?? { step, node: new PatternNode() };
    this.#next.set(text, known);
    return known.node;
  }

  /** Those that lead to this place of a map or list. */
  at(value: unknown, place: string | number): readonly PatternNode[] {
    if (Array.isArray(value)) return (this.#inList(value).get(place) ?? []).map(({ node }) => node);
    const known = this.#next.get(JSON.stringify({ field: place }));
    return known ? [known.node] : [];
  }
}

/**
 * How paths as in `spec.drift.ignore` and a field of this object meet: one covers the field whole (`all`), one only something below
 * it (`part`), or none does. `object` is what the field's path leads through, declared or live. However many patterns there are,
 * each field is walked to once.
 */
export function reachOf(patterns: readonly string[], object: unknown, path: FieldPath): 'all' | 'part' | 'none' {
  let nodes: readonly PatternNode[] = [joined(patterns)];
  let value = object;
  for (const step of path) {
    const child = resolveDeclared(value, [step]);
    const place = child === undefined ? undefined : placeIn(value, step, child);
    if (place === undefined) return 'none';
    nodes = nodes.flatMap((node) => node.at(value, place));
    if (nodes.some(({ isEnd }) => isEnd)) return 'all';
    if (nodes.length === 0) return 'none';
    value = child;
  }
  return nodes.some(({ isLast }) => !isLast) ? 'part' : 'none';
}

const joined = once((patterns: readonly string[]) => {
  const root = new PatternNode();
  for (const pattern of patterns) {
    const path = parsePath(pattern);
    if (path) path.reduce((node, step) => node.grow(step), root).isEnd = true;
  }
  return root;
});
