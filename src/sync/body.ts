import { withoutPaths } from '../drift/ignore.ts';
import type { KubeObject } from '../kube/object.ts';

/** TC39 "JSON.parse source text access"; in V8, not yet in the typings. */
type SourceText = { source?: string };
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** A body that keeps its int64 values to the digit when it is written again; those values are opaque while it is held. */
export function parseExact(body: string): KubeObject {
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: SourceText) => unknown,
  ) => unknown;
  return parse(body, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
      ? rawJSON(source)
      : value,
  ) as KubeObject;
}

/** The body less the fields at these paths (see drift/ignore.ts); the body itself when there is nothing to leave out. */
export function bodyWithout(body: string, paths: readonly string[]): string {
  return paths.length === 0 ? body : JSON.stringify(withoutPaths(parseExact(body), paths));
}
