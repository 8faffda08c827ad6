// Reading a policy's spec: any JSON may stand at any field. What is not of the asked type counts as absent.

/** An object that is neither null nor a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value at a path of up to three names; undefined where there is none. Inherited properties (`__proto__`, `constructor`)
 * are none. No rest parameter here: each Mapping is read by some fifty calls, and each of them would make a list.
 */
export function valueAt(value: unknown, name?: string, second?: string, third?: string): unknown {
  if (name === undefined) return value;
  if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
  const found = value[name];
  return second === undefined ? found : valueAt(found, second, third);
}

export function textAt(value: unknown, name?: string, second?: string, third?: string): string | undefined {
  const found = valueAt(value, name, second, third);
  return typeof found === 'string' ? found : undefined;
}

/** YAML's 64-bit integers come as `bigint`: here they are numbers. */
export function numberAt(value: unknown, name?: string, second?: string, third?: string): number | undefined {
  const found = valueAt(value, name, second, third);
  return typeof found === 'bigint' ? Number(found) : typeof found === 'number' ? found : undefined;
}

export function isTrueAt(value: unknown, name?: string, second?: string, third?: string): boolean {
  return valueAt(value, name, second, third) === true;
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
export function listAt(value: unknown, name?: string, second?: string, third?: string): readonly unknown[] {
  const found = valueAt(value, name, second, third);
  return Array.isArray(found) ? (found as unknown[]) : [];
}

/** Empty when there is no object. */
export function recordAt(
  value: unknown,
  name?: string,
  second?: string,
  third?: string,
): Readonly<Record<string, unknown>> {
  const found = valueAt(value, name, second, third);
  return isRecord(found) ? found : {};
}
