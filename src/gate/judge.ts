import { STATUS_LIMITS } from '../api/status-limits.ts';
import type { Finding } from '../edge/finding.ts';
import { withoutValues } from '../edge/gather.ts';
import type { Guard } from '../edge/guard.ts';
import type { EdgeObject, EdgeSettings, Origin, SecretShape } from '../edge/input.ts';
import { judgeEdge } from '../edge/judged-edge.ts';
import { TextPool } from '../edge/pool.ts';
import { isRecord } from '../edge/spec.ts';
import { setbacksOf, type Setbacks } from '../edge/setbacks.ts';
import { watchedBy, watchesAll } from '../edge/watched.ts';
import type { KubeObject } from '../kube/object.ts';
import { sizeOf, tallyOf, type EdgeSize, type Tally } from './tally.ts';

/** Objects as they are handed to the judge, field by field: ten thousand small things take a message longer than five lists. */
export interface Exhibits {
  readonly keys: string[];
  /** JSON; undefined: as it was before. */
  readonly bodies: (string | undefined)[];
  /** As in `Origin`. */
  readonly sources: (string | undefined)[];
  readonly files: (string | undefined)[];
  readonly lines: (number | undefined)[];
}

/** A part of the difference between the edge to be judged and the one that was judged before. */
export interface Difference {
  readonly put: Exhibits;
  /** Keys. */
  readonly gone: readonly string[];
}

/** What the edge is to be judged by, once all of the difference is told. */
export interface Ask {
  /** What is known of Secrets, by `namespace/name`; undefined: there is none. */
  readonly secrets: ReadonlyMap<string, SecretShape | undefined>;
  /** Which source may know of which Secret of a namespace that is not its own: `readerKey`. */
  readonly readers: ReadonlySet<string>;
  readonly settings: EdgeSettings;
  readonly guard: Guard;
}

export interface Answer {
  readonly findings: readonly Finding[];
  readonly frozen: boolean;
  readonly size: EdgeSize;
  /** By source. */
  readonly tallies: ReadonlyMap<string, Tally>;
  /** By source: what of it does not go as declared. */
  readonly setbacks: ReadonlyMap<string, Setbacks>;
  /** `namespace/name` of every Secret that was asked for; those that `secrets` did not hold counted as absent. */
  readonly asked: ReadonlySet<string>;
  /** `readerKey` of everybody who asked for the Secret of another namespace; whom `readers` did not hold was told nothing. */
  readonly askers: ReadonlySet<string>;
}

/** A source that names a Secret, as one text. A name with a blank or a slash in it is no Secret's. */
export function readerKey(source: string, namespace: string, name: string): string {
  return `${source} ${namespace}/${name}`;
}

/**
 * Judges one edge after the other, each as the difference to the last: what was worked out about an object is remembered with
 * it, so that one changed object among thousands costs little. No I/O.
 */
export class EdgeJudge {
  readonly #objects = new Map<string, EdgeObject>();
  /** As JSON → as they came first: what is remembered with an object is remembered for these very settings. */
  readonly #settings = new Map<string, EdgeSettings>();

  /** From here on the edge differs so. */
  take({ put, gone }: Difference): void {
    for (const key of gone) this.#objects.delete(key);
    for (const [at, key] of put.keys.entries()) {
      const body = put.bodies[at];
      const object = body === undefined ? this.#objects.get(key)?.object : read(body);
      if (object) this.#objects.set(key, { object, origin: originAt(at, put) });
    }
  }

  judge({ secrets, readers, settings, guard }: Ask): Answer {
    const asked = new Set<string>();
    const secret = (name: string, namespace: string) => {
      const key = `${namespace}/${name}`;
      asked.add(key);
      return secrets.get(key);
    };
    const askers = new Set<string>();
    const hides = (source: string, name: string, namespace: string) => {
      if (source.startsWith(`${namespace}/`)) return false;
      const key = readerKey(source, namespace, name);
      askers.add(key);
      return !readers.has(key);
    };
    const objects = watchedBy(settings, [...this.#objects.values()]);
    const input = { objects, complete: watchesAll(settings), secret, hides, settings: this.#asBefore(settings) };
    const { edge, findings } = judgeEdge(input, guard);
    const setbacks = setbacksOf(edge, findings, STATUS_LIMITS.edgeSetbacks);
    const frozen = edge.freeze !== undefined;
    return { findings, frozen, size: sizeOf(edge), tallies: tallyOf(edge), setbacks, asked, askers };
  }

  /** Every question brings settings of its own, mostly equal to those of the one before. */
  #asBefore(settings: EdgeSettings): EdgeSettings {
    const key = JSON.stringify(settings);
    const known = this.#settings.get(key) ?? settings;
    this.#settings.set(key, known);
    return known;
  }
}

/** Thousands of objects have one apiVersion, few sources and namespaces, some hundred hosts and services: each text is held once. */
const texts = new TextPool();

function originAt(at: number, { sources, files, lines }: Exhibits): Origin {
  const [source, file, line] = [sources[at], files[at], lines[at]];
  return {
    ...(source !== undefined && { source: texts.shared(source) }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  };
}

const SHARED = ['hostname', 'service'] as const;

function shareTexts(object: KubeObject): void {
  object.apiVersion = texts.shared(object.apiVersion);
  const { metadata, spec } = object;
  if (typeof metadata.namespace === 'string') metadata.namespace = texts.shared(metadata.namespace);
  if (!isRecord(spec)) return;
  for (const field of SHARED) {
    const text = spec[field];
    if (typeof text === 'string') (spec as Record<string, unknown>)[field] = texts.shared(text);
  }
}

function read(body: string): KubeObject {
  const object = JSON.parse(body) as KubeObject;
  shareTexts(object);
  return object.kind === 'Secret' && object.apiVersion === 'v1' ? withoutValues(object) : object;
}
