/**
 * Reads a value that the API server may have taken nested up to 10,000 levels deep: JSON.stringify, and all that walks by
 * recursion, runs out of stack at a few thousand. Then `read` gets a copy in which `null` stands below so many levels.
 */
export function withinStack<Value, Result>(value: Value, levels: number, read: (value: Value) => Result): Result {
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return read(upTo(levels, value) as Value);
  }
}

function upTo(levels: number, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return null;
  if (Array.isArray(value)) return value.map((item) => upTo(levels - 1, item));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, upTo(levels - 1, inner)]));
}
