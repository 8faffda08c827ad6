import jsonPatch from 'fast-json-patch';
import { withinStack } from '../kube/depth.ts';
import type { KubeObject } from '../kube/object.ts';
import { MAX_DEPTH } from '../render/node.ts';
import type { DriftedField } from './explain.ts';
import { fieldOf, isMap } from './fields.ts';

// oxlint-disable-next-line import/no-named-as-default-member -- it is CommonJS: Node finds no named exports in it
const { compare, unescapePathComponent } = jsonPatch;

/** What an apply changes in any case, and nobody means. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'generation']);

/**
 * What an apply would change, field by field, from the answer of its dry-run: `declared` is the value that it would set, as
 * the server writes it. Status and bookkeeping do not count. For people: the paths are JSON pointers with list indexes.
 */
export function wouldChange(live: KubeObject, dryRun: KubeObject): DriftedField[] {
  return withinStack([live, dryRun], MAX_DEPTH, ([now, then]) => changes(now!, then!));
}

function changes(live: KubeObject, dryRun: KubeObject): DriftedField[] {
  const [before, after] = [comparable(live), comparable(dryRun)];
  return compare(before, after).map(({ op, path, ...rest }) => ({
    path,
    declared: op === 'remove' ? undefined : (rest as { value?: unknown }).value,
    live: op === 'add' ? undefined : at(before, path),
  }));
}

function comparable({ status: _status, ...object }: KubeObject): object {
  const metadata = Object.entries(object.metadata).filter(([name]) => !BOOKKEEPING.has(name));
  return { ...object, metadata: Object.fromEntries(metadata) };
}

function at(object: unknown, pointer: string): unknown {
  const names = pointer.split('/').slice(1).map(unescapePathComponent);
  return names.reduce<unknown>(
    (value, name) =>
      isMap(value) ? fieldOf(value, name) : Array.isArray(value) ? (value[Number(name)] as unknown) : undefined,
    object,
  );
}
