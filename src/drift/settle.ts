import { FIELD_MANAGER } from '../api/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { differences, type Difference } from './compare.ts';
import { ownedBy } from './fields.ts';
import { baselineOf, type Baseline } from './judge.ts';
import { rewritten } from './notation.ts';

/**
 * What a dry-run says about an object whose declared values differ: undefined when an apply would change it; else the
 * baseline it makes, with the fields that somebody's admission (not the server's notation) rewrites.
 */
export function settle(
  sent: string,
  live: KubeObject,
  answer: KubeObject,
): { baseline: Baseline; rewritten: Difference[] } | undefined {
  const declared = JSON.parse(sent) as KubeObject;
  const wouldBe = baselineOf(declared, answer, FIELD_MANAGER);
  const baseline = baselineOf(declared, live, FIELD_MANAGER);
  if (!wouldBe || !baseline || wouldBe.digest !== baseline.digest) return undefined;
  return { baseline, rewritten: answerRewritten(sent, live) };
}

/**
 * The fields that somebody's admission made other than they were sent. What all own together tells a set or a list with keys,
 * of which we own nothing when it is declared empty: what others put there is theirs, and nothing was rewritten.
 */
export function answerRewritten(sent: string, answer: KubeObject): Difference[] {
  const fields = ownedBy(answer.metadata.managedFields ?? []);
  return rewritten(differences(JSON.parse(sent) as KubeObject, answer, fields));
}
