import { NONE } from '../none.ts';
import type { EdgeInput, EdgeObject } from './input.ts';

type Objects = Pick<EdgeInput, 'objects'>;

interface Index {
  readonly byKind: ReadonlyMap<string, readonly EdgeObject[]>;
  readonly annotated: readonly EdgeObject[];
}

// Stages and rules ask for the few objects that are no Mappings; looking for them is one walk over thousands.
const indexes = new WeakMap<Objects, Index>();

/** The objects of one kind, whatever its group, in the order of the input. */
export function objectsOf(input: Objects, kind: string): readonly EdgeObject[] {
  return indexOf(input).byKind.get(kind) ?? NONE;
}

/** The objects that have annotations, in the order of the input. */
export function annotatedOf(input: Objects): readonly EdgeObject[] {
  return indexOf(input).annotated;
}

function indexOf(input: Objects): Index {
  const known = indexes.get(input);
  if (known) return known;
  const byKind = new Map<string, EdgeObject[]>();
  const annotated: EdgeObject[] = [];
  input.objects.forEach((one) => {
    const { kind, metadata } = one.object;
    const same = byKind.get(kind);
    if (same) same.push(one);
    else byKind.set(kind, [one]);
    if (metadata.annotations !== undefined) annotated.push(one);
  });
  const index = { byKind, annotated };
  indexes.set(input, index);
  return index;
}
