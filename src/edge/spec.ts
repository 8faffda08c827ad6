// Reading a policy's spec: any JSON may stand at any field. What is not of the asked type counts as absent.

/** An object that is neither null nor a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path; undefined where there is none. Inherited properties (`__proto__`, `constructor`) are none. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (!isRecord(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** YAML's 64-bit integers come as `bigint`: here they are numbers. */
export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'bigint' ? Number(found) : typeof found === 'number' ? found : undefined;
}

export function isTrueAt(value: unknown, ...path: readonly string[]): boolean {
  return valueAt(value, ...path) === true;
}

/**
 * Is there such a scalar (a text, a number, a boolean) anywhere in it, names of fields included? Without recursion, for nothing
 * bounds the depth of JSON; what is flat, as most specs are, is looked through without making anything.
 */
export function hasScalar(value: unknown, isWanted: (scalar: unknown) => boolean): boolean {
  let open: unknown[] | undefined;
  for (let next: unknown = value; ; next = open.pop()) {
    if (typeof next !== 'object' || next === null) {
      if (isWanted(next)) return true;
    } else if (Array.isArray(next)) {
      for (const item of next as unknown[]) (open ??= []).push(item);
    } else {
      for (const name in next) {
        if (!Object.hasOwn(next, name)) continue;
        const inner = (next as Record<string, unknown>)[name];
        if (isWanted(name)) return true;
        if (typeof inner === 'object') (open ??= []).push(inner);
        else if (isWanted(inner)) return true;
      }
    }
    if (open === undefined || open.length === 0) return false;
  }
}

/** Empty when there is no list. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** Empty when there is no object. */
export function recordAt(value: unknown, ...path: readonly string[]): Readonly<Record<string, unknown>> {
  const found = valueAt(value, ...path);
  return isRecord(found) ? found : {};
}
