import type { KubeError } from '../kube/errors.ts';
import type { Actor } from '../sync/actor.ts';
import type { Desired } from '../sync/desired.ts';
import type { Beside } from './beside.ts';
import type { DriftedField } from './explain.ts';
import type { DriftPolicy } from './policy.ts';
import type { WatchedKind } from './watches.ts';

/** One difference between Git and the cluster that somebody else made, or its end. Values are raw: mask before showing. */
export interface Drift {
  source: string;
  desired: Desired;
  fields: DriftedField[];
  /**
   * Found: is about to be healed. Reported: stays, as the source wants it. Healed, Recreated: was put back. NotHolding: is
   * about to be healed as well, but those of its fields that have a rate are changed again and again. Rewritten: admission
   * changes what we apply; in sync all the same.
   */
  state: 'Found' | 'Reported' | 'Healed' | 'Recreated' | 'NotHolding' | 'Rewritten';
  /** From the arrival of the event to the answer of the corrective apply; for Healed and Recreated. */
  healMs?: number;
}

/** What the healer asks about a source, and tells it. */
export interface SourceDesk {
  /** undefined: this source is gone or being deleted. A suspended one only reports. */
  order(source: string): { actor: Actor; mode: 'Heal' | 'Report' } | undefined;
  /** What counts as drift of this source. */
  policy(source: string): DriftPolicy;
  /** Is this a source whose declarations are still to be read, so that its objects will have to be compared? */
  awaits(source: string): boolean;
  /** Does a run of this source write what it declares at this moment? It has looked at all of it by then, or is about to. */
  isApplying(source: string): boolean;
  /** What such a source will most likely declare of this object, once it is let through; nothing of it is in force yet. */
  expected(source: string, key: string): Desired | undefined;
  /** Every object of the kind is known now. */
  listed(kind: WatchedKind): void;
  drifted(drift: Drift): void;
  /** What differs from Git now without being drift; all of it, so what was told before and is not here is over. */
  beside(source: string, desired: Desired, beside: Beside): void;
  /** A fight over the object (`NotHolding`) ended: its last repair holds. */
  fightOver(source: string, key: string): void;
  /** The object is as declared again, whoever did it. `rewritten`: but for fields that admission rewrites, told before. */
  inSync(source: string, key: string, rewritten: boolean): void;
  /** A corrective write failed; the source tries the object again with its own backoff. */
  failed(source: string, desired: Desired, error: unknown): void;
  /** An object is the source's to apply or to prune: an annotation kept it from us, or it came when a run had looked already. */
  released(source: string): void;
  /** Somebody put the annotation `plumbline.dev/reconcile: disabled` on an object of the source, or took it off. */
  marked(source: string): void;
  /** An object of the source that it no longer declares is not seen any more; it may have lost its labels only. */
  lostSight(source: string): void;
  /** The set of managed objects or their health changed. */
  changed(source: string): void;
  /** The watch of the kind cannot be held now; `isBlind`: nobody sees what happens to its objects. */
  problem(kind: WatchedKind, error: KubeError, isBlind: boolean): void;
}
