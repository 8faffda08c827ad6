import { withoutValues } from '../edge/gather.ts';
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
    const read = JSON.parse(body) as KubeObject;
    const object = read.kind === 'Secret' && read.apiVersion === 'v1' ? withoutValues(read) : read;
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
