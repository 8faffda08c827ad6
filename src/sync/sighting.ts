import {
  FIELD_MANAGER,
  NAME_LABEL,
  NAMESPACE_LABEL,
  OWNER_ANNOTATION,
  ownerProof,
  PRUNE_ANNOTATION,
  RECONCILE_ANNOTATION,
} from '../api/names.ts';
import { ownEntry } from '../drift/fields.ts';
import { identityKey, identityOf, type KubeObject } from '../kube/object.ts';
import { NONE } from '../none.ts';
import { shared } from '../render/words.ts';
import type { Desired } from './desired.ts';
import { health } from './health.ts';
import type { LiveObject } from './live.ts';

/**
 * The source (`namespace/name`) that an object proves to belong to. The proof is the annotation: it names the source and the
 * object itself, so one that was copied from another object proves nothing.
 */
export function provenSource(object: KubeObject): string | undefined {
  const proof = object.metadata.annotations?.[OWNER_ANNOTATION];
  const match = proof && /^([^/:]+)\/([^/:]+):/.exec(proof);
  if (!match) return undefined;
  const source = { namespace: match[1]!, name: match[2]! };
  return proof === ownerProof(source, identityKey(identityOf(object)))
    ? shared(`${source.namespace}/${source.name}`)
    : undefined;
}

/**
 * Does the object carry the labels of the source (`namespace/name`) as we wrote them, but no proof? Labels and field managers
 * can be copied: that makes it the source's only where the source is known to have declared this very object.
 */
export function isMarkedOnly(object: KubeObject, source: string): boolean {
  const { labels = {}, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined || provenSource(object) !== undefined) return false;
  const ours = ownEntry(object, FIELD_MANAGER)?.fieldsV1?.['f:metadata']?.['f:labels'] ?? {};
  const isWrittenByUs = [NAME_LABEL, NAMESPACE_LABEL].every((label) => `f:${label}` in ours);
  return isWrittenByUs && `${labels[NAMESPACE_LABEL]}/${labels[NAME_LABEL]}` === source;
}

/** What is kept of an object that was just read; what earlier sightings taught about it stays. */
export function sighted(object: KubeObject, before: LiveObject | undefined, desired: Desired | undefined): LiveObject {
  // Shared with the declaration where there is one: thousands of equal strings would be held twice.
  const identity = desired?.identity ?? before?.identity ?? identityOf(object);
  const { metadata } = object;
  const same = before?.uid === metadata.uid ? before : undefined;
  return {
    key: desired?.key ?? before?.key ?? identityKey(identity),
    identity,
    apiVersion: desired?.apiVersion ?? object.apiVersion,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    source: provenSource(object),
    deleting: metadata.deletionTimestamp !== undefined,
    pruneDisabled: metadata.annotations?.[PRUNE_ANNOTATION] === 'disabled',
    reconcileDisabled: metadata.annotations?.[RECONCILE_ANNOTATION] === 'disabled',
    health: health(object),
    baseline: same?.baseline,
    declaredDigest: same?.declaredDigest,
    unjudged: same?.unjudged,
    surrendered: same?.surrendered ?? NONE,
    rewritten: same?.rewritten ?? NONE,
  };
}
