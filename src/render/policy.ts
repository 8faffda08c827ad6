import {
  ADOPT_ANNOTATION,
  FORCE_ANNOTATION,
  GROUP,
  MANIFEST_ANNOTATIONS,
  NAME_LABEL,
  NAMESPACE_LABEL,
  PRUNE_ANNOTATION,
  RECONCILE_ANNOTATION,
  SSA_ANNOTATION,
} from '../api/names.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ObjectPolicy } from './declared.ts';

const SSA = ['Override', 'Merge', 'IfNotPresent', 'Ignore'] as const;
const ON_OFF = ['enabled', 'disabled'] as const;
const YES_NO = ['true', 'false'] as const;

const USUAL: ObjectPolicy = { prune: true, reconcile: true, ssa: 'Override', force: false, adopt: false };

/** The same object for the usual policy, which most objects have. */
export function onePolicy(policy: ObjectPolicy): ObjectPolicy {
  return isUsual(policy) ? USUAL : policy;
}

function isUsual({ prune, reconcile, ssa, force, adopt }: ObjectPolicy): boolean {
  return prune && reconcile && ssa === 'Override' && !force && !adopt;
}

/** Reads how an object wants to be handled; `complaints` holds the annotations that are unknown, or whose value is. */
export function readPolicy(metadata: KubeObject['metadata']): { policy: ObjectPolicy; complaints: string[] } {
  // Both may be null in a file.
  const annotations = metadata.annotations ?? {};
  const complaints = strangers(annotations, metadata.labels ?? {});
  const oneOf = <T extends string>(annotation: string, allowed: readonly T[], fallback: T): T => {
    const value = annotations[annotation];
    if (value === undefined) return fallback;
    const found = allowed.find((choice) => choice.toLowerCase() === value.toLowerCase());
    if (found === undefined) complaints.push(`the annotation ${annotation} must be one of ${allowed.join(', ')}`);
    return found ?? fallback;
  };
  const policy: ObjectPolicy = {
    prune: oneOf(PRUNE_ANNOTATION, ON_OFF, 'enabled') === 'enabled',
    reconcile: oneOf(RECONCILE_ANNOTATION, ON_OFF, 'enabled') === 'enabled',
    ssa: oneOf(SSA_ANNOTATION, SSA, 'Override'),
    force: oneOf(FORCE_ANNOTATION, ON_OFF, 'disabled') === 'enabled',
    adopt: oneOf(ADOPT_ANNOTATION, YES_NO, 'false') === 'true',
  };
  return { policy: onePolicy(policy), complaints };
}

/** A misspelt `prune: disabled` would protect nothing, and nobody would be told. One of each sort is enough. */
function strangers(annotations: Record<string, string>, labels: Record<string, string>): string[] {
  const ours = (entries: object) => Object.keys(entries).filter((key) => key.startsWith(`${GROUP}/`));
  const annotation = ours(annotations).find((key) => !MANIFEST_ANNOTATIONS.has(key));
  const label = ours(labels).find((key) => key !== NAME_LABEL && key !== NAMESPACE_LABEL);
  const known = [...MANIFEST_ANNOTATIONS].join(', ');
  return [
    ...(annotation === undefined ? [] : [`there is no annotation ${annotation}: those that are known are ${known}`]),
    ...(label === undefined ? [] : [`${label} is no label: write it as an annotation`]),
  ];
}
