import { hash } from 'node:crypto';
import { ignoredFor, type IgnoreRule } from '../drift/ignore.ts';
import type { KubeObject } from '../kube/object.ts';
import { Body } from '../render/body.ts';
import type { Declared } from '../render/declared.ts';
import { bodyWithout } from './body.ts';

/**
 * A declared object as its source wants it kept. `body` and `digest` are the steady state: fields that the source gives up
 * (`spec.drift.ignore`) are already left out of them.
 */
export interface Desired extends Declared {
  /**
   * Present when fields are given up: their paths, and the body that an object is created with. Afterwards they are handed
   * to a second manager, because leaving out a field that we alone own would reset it.
   */
  givenUp?: { readonly paths: readonly string[]; readonly createBody: Body };
}

/** Is its declaration to be held against what others do to the object, once it is there? */
export function isKept({ policy }: Pick<Declared, 'policy'>): boolean {
  return policy.reconcile && policy.ssa !== 'IfNotPresent' && policy.ssa !== 'Ignore';
}

export function desire(declared: Declared, rules: readonly IgnoreRule[]): Desired {
  if (rules.length === 0) return declared;
  const object = JSON.parse(declared.body.text) as KubeObject;
  const { paths } = ignoredFor(declared.identity, object.metadata.labels ?? {}, rules);
  const body = bodyWithout(declared.body.text, paths);
  if (body === declared.body.text) return declared;
  return {
    ...declared,
    body: new Body(body),
    digest: hash('sha256', body, 'base64url'),
    givenUp: { paths, createBody: declared.body },
  };
}
