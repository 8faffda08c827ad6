// Waits until a world is right after a round, and says what is wrong with it when it does not become so.
import { setTimeout as delay } from 'node:timers/promises';
import type { GitOpsSource } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Additions } from './additions.ts';
import { collectionOf, KINDS, SOURCES, type Key, type Places, type SourceName } from './declared.ts';
import { differences, type Sight, type Wanted } from './difference.ts';
import { isPrevented, type Hands } from './hands.ts';
import type { Replicas } from './replicas.ts';
import type { Repositories } from './repositories.ts';
import type { Round, Standing } from './steps.ts';
import type { Witness } from './witness.ts';

/** From peace until the world must be right; the longest wait of the operator is half a minute. */
export const SETTLE_MS = 240_000;
/**
 * What one look and the pause after it count for that at most: on a machine that is busy with other things they take seconds,
 * and everything else takes as much longer.
 */
const LOOK_MS = 400;
const WITNESS_MS = 5_000;
/** Nothing may be written in this time once all is well. */
const REST_MS = 300;
/** Until the API server knows a new binding of Prevent, mostly. */
const BINDING_MS = 500;

export interface InspectionParts {
  places: Places;
  hands: Hands;
  repositories: Repositories;
  replicas: Replicas;
  witness: Witness;
  additions: Additions;
  foreign: Wanted['foreign'];
}

export class Inspection {
  /** How long the world took to be right after each round, in ms. */
  readonly settledMs: number[] = [];
  readonly #parts: InspectionParts;
  #uids = new Map<Key, string>();
  /** Sources whose drift the API server was seen to refuse; a binding of Prevent takes effect a moment after it is there. */
  readonly #guarded = new Set<SourceName>();

  constructor(parts: InspectionParts) {
    this.#parts = parts;
  }

  /** Waits until the world is right, and gives what is wrong with it when the time is over. */
  async settle(round: Round): Promise<string[]> {
    const { replicas } = this.#parts;
    const wanted = this.#wanted(round);
    this.#guarded.clear();
    const startedAt = performance.now();
    for (let waitedMs = 0; ;) {
      const lookedAt = performance.now();
      // A replica that lost its lease ends itself.
      await replicas.startAll();
      const before = await this.#look();
      let wrong = differences(before, wanted);
      if (wrong.length === 0) wrong = await this.#unguarded(round);
      if (wrong.length === 0) {
        const tookMs = performance.now() - startedAt;
        await replicas.delivered();
        await delay(REST_MS);
        const after = await this.#look();
        wrong = [...differences(after, wanted), ...restless(before, after)];
        if (wrong.length === 0) {
          this.settledMs.push(tookMs);
          return this.#conclude(after, round);
        }
      }
      if (waitedMs > SETTLE_MS) return wrong;
      await delay(100);
      waitedMs += Math.min(performance.now() - lookedAt, LOOK_MS);
    }
  }

  #wanted({ standings, kept, unproven, forsaken }: Round): Wanted {
    const { places, foreign, repositories, additions } = this.#parts;
    return {
      standings,
      tips: repositories.tips,
      declaredBy: (...claim) => repositories.declaredBy(...claim),
      unproven,
      forsaken,
      uids: new Map([...this.#uids].filter(([key]) => kept.has(key))),
      places,
      foreign,
      additions: additions.expected(standings),
    };
  }

  /** Sources under Prevent whose drift nobody refuses. */
  async #unguarded({ standings }: Round): Promise<string[]> {
    const wrong: string[] = [];
    for (const source of SOURCES) {
      const key = probeOf(standings[source]);
      if (key === undefined || this.#guarded.has(source)) continue;
      const answer = await this.#parts.hands.edit({ key, how: 'value' });
      if (isPrevented(answer)) this.#guarded.add(source);
      else {
        wrong.push(`${key} of ${source} can be edited in spite of Prevent: ${answer.status}`);
        await delay(BINDING_MS);
      }
    }
    return wrong;
  }

  /** What was claimed on the way, and what was never to be seen. */
  async #conclude({ objects }: Sight, { standings, never }: Round): Promise<string[]> {
    const { witness, repositories, additions } = this.#parts;
    this.#uids = new Map([...objects].map(([key, { metadata }]) => [key, metadata.uid!]));
    additions.conclude(standings);
    const unproven = () => witness.unproven((...claim) => repositories.declaredBy(...claim));
    // Its watches are a moment behind, each on its own.
    const deadline = performance.now() + WITNESS_MS;
    while (unproven().length > 0 && performance.now() < deadline) await delay(50);
    const early = witness.seen(never).map((fact) => `${fact} was seen, of a commit that was never let through`);
    const wrong = [...unproven(), ...early];
    witness.forget();
    return wrong;
  }

  async #look(): Promise<Sight> {
    const { hands, places } = this.#parts;
    const objects = new Map<Key, KubeObject>();
    for (const kind of KINDS) {
      for (const item of await hands.list(collectionOf(kind, places)))
        if (/^(k-|foreign)/.test(item.metadata.name)) objects.set(`${kind}/${item.metadata.name}`, item);
    }
    const sources = (await hands.list(hands.sourcePath())) as GitOpsSource[];
    return {
      objects,
      sources: new Map(sources.map((source) => [source.metadata.name as SourceName, source])),
      guarded: new Set(await hands.guardedSources()),
    };
  }
}

/** An object by which to see whether edits are refused. */
function probeOf({ mode, live }: Standing): Key | undefined {
  return mode === 'Prevent' ? [...live.keys()][0] : undefined;
}

/** Objects that were written although everything was as it should be. */
function restless(before: Sight, after: Sight): string[] {
  return [...after.objects]
    .filter(([key, { metadata }]) => before.objects.get(key)?.metadata.resourceVersion !== metadata.resourceVersion)
    .map(([key]) => `${key} is being written although nothing is wrong`);
}
