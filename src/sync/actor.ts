import type { DriftPolicy } from '../drift/policy.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { Desired } from './desired.ts';

/** On whose behalf an object is written. */
export interface Actor {
  /** `namespace/name` of the source. */
  source: string;
  /** The user to act as; undefined is the operator itself, for sources of its own namespace only. */
  impersonate?: { username: string };
  adoption: 'Adopt' | 'Refuse';
  force: boolean;
  /** Set when what others added to an object goes with each write of it; the policy says what may stay. */
  removes?: DriftPolicy;
  /** Is this `namespace/name` a source that exists? Decides whether its old ownership still counts. */
  sourceExists(source: string): boolean;
  /** Does it take, as it is, what that source has let go? */
  inheritsFrom(source: string): boolean;
}

/** What everything that writes one object needs to know. */
export interface WriteCall {
  actor: Actor;
  desired: Desired;
  resource: ApiResource;
  signal: AbortSignal;
}

/** The option that makes a request act as the actor. */
export function impersonated(actor: Actor): { impersonate?: { username: string } } {
  return actor.impersonate ? { impersonate: actor.impersonate } : {};
}
