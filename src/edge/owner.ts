import { ROUTE_GROUP_ANNOTATION } from '../api/names.ts';
import { aboutGroups } from './facts.ts';
import type { Policy, RouteGroup } from './model.ts';
import { ownerOf } from './party.ts';
import { Pool } from './pool.ts';
import { textAt } from './spec.ts';

/** Every Mapping that a group took up: members, the redirect, shadows. The first one in the compiler's order made the group. */
export function policiesIn(group: RouteGroup): readonly Policy[] {
  const { members, redirect, shadows } = group;
  const [only] = members;
  return only && members.length === 1 && shadows.length === 0 && !redirect ? [only.policy] : severalIn(group);
}

const severalIn = aboutGroups.remembered(({ members, redirect, shadows }: RouteGroup): readonly Policy[] => {
  const policies = [...members, ...shadows].map(({ policy }) => policy);
  if (redirect) policies.push(redirect);
  return policies.sort((a, b) => (a.key < b.key ? -1 : 1));
});

/** Argo Rollouts cuts the name of the base to this and adds the suffix. */
const CANARY_BASE = 246;
const CANARY_SUFFIX = '-canary';

/**
 * Is it the Mapping that Argo Rollouts makes beside one that somebody declares? Then it belongs to whoever declares that one
 * (argoproj/argo-rollouts, rollout/trafficrouting/ambassador).
 */
export function isCanaryOf(policy: Policy, base: Policy): boolean {
  const { name, namespace, origin } = policy;
  if (origin.source !== undefined || base.origin.source === undefined || base.namespace !== namespace) return false;
  return name === base.name.slice(0, CANARY_BASE) + CANARY_SUFFIX;
}

/** Whose a Mapping is among the others of its group. */
export function ownerAmong(policy: Policy, group: readonly Policy[]): string {
  const base = policy.name.endsWith(CANARY_SUFFIX) ? group.find((other) => isCanaryOf(policy, other)) : undefined;
  return ownerOf(base ?? policy);
}

/** Everybody who has a Mapping in the group. */
export const ownersOf = aboutGroups.remembered((group: RouteGroup): ReadonlySet<string> => {
  const policies = policiesIn(group);
  if (policies.length !== 1) return new Set(policies.map((policy) => ownerAmong(policy, policies)));
  const owner = ownerOf(policies[0]!);
  return alone.shared(owner, () => new Set([owner]));
});

/** Each owner of a route of its own. */
const alone = new Pool<ReadonlySet<string>>();

/**
 * Have both sides said that they share their routes on purpose? Each names, in the same annotation, the namespaces that do:
 * the word of one side is not enough, and nobody joins a route that others share.
 */
export function shareOnPurpose(a: Policy, b: Policy): boolean {
  const [ofA, ofB] = [sharersOf(a), sharersOf(b)];
  return [ofA, ofB].every((sharers) => sharers.has(homeOf(a)) && sharers.has(homeOf(b)));
}

/** Where it was written, whatever namespace the text of an annotation gives it. */
function homeOf({ parent, namespace }: Policy): string {
  return parent?.metadata.namespace ?? namespace;
}

function sharersOf({ written, parent }: Policy): ReadonlySet<string> {
  for (const object of [written, parent]) {
    const said = textAt(object, 'metadata', 'annotations', ROUTE_GROUP_ANNOTATION);
    if (said !== undefined) return new Set(said.split(',').map((name) => name.trim()));
  }
  return new Set();
}
