import type { KubeObject } from '../kube/object.ts';

/**
 * Objects parsed from their JSON, each once while it stays the same: what is worked out about an object is remembered with
 * it, so that one changed object among thousands costs one. Between two bursts of work everything is let go.
 */
export class ParsedBodies {
  readonly #parsed = new Map<string, { body: string; object: KubeObject; used: boolean }>();

  parse(key: string, body: string): KubeObject {
    const known = this.#parsed.get(key);
    if (known?.body === body) {
      known.used = true;
      return known.object;
    }
    const object = withoutValues(JSON.parse(body) as KubeObject);
    this.#parsed.set(key, { body, object, used: true });
    return object;
  }

  /** Lets go of what nobody asked for since the last call. */
  sweep(): void {
    for (const [key, entry] of this.#parsed) {
      if (!entry.used) this.#parsed.delete(key);
      entry.used = false;
    }
  }

  get size(): number {
    return this.#parsed.size;
  }
}

/** Of a Secret the edge needs to know which keys hold something. */
function withoutValues(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { data, stringData: _, ...rest } = object;
  if (typeof data !== 'object' || data === null) return rest;
  // `Kg==` is one character: something.
  const keys = Object.entries(data).map(([key, value]) => [key, value ? 'Kg==' : '']);
  return { ...rest, data: Object.fromEntries(keys) as Record<string, string> };
}
