import * as z from 'zod';
import type { KubeObject } from '../kube/object.ts';

// Like the GitOpsSource: one schema is the type and the CRD. Only the operator writes this kind; nobody is given the right to.

const told = (description: string) => z.string().meta({ description });
const byName = (description: string) =>
  z.record(z.string(), z.record(z.string(), told('namespace/name of its source.'))).meta({ description });

const guardedSource = z.object({
  account: told('The user that its objects are written as; empty: the operator itself.'),
  git: told('Where to change them: repository, ref and path.'),
  managers: z
    .array(told('A regular expression of the whole name.'))
    .meta({ description: 'Field managers that may take a field.', 'x-kubernetes-list-type': 'atomic' })
    .optional(),
});

/** What the API server must know to refuse drift in one namespace. */
export const driftGuardSpec = z
  .object({
    sources: z.record(z.string(), guardedSource).meta({ description: 'By namespace/name: whose objects they are.' }),
    objects: byName('By group/resource and name: the objects that Git declares.'),
    scaled: byName('By group/resource and name: those of them whose replicas Git declares.'),
  })
  .meta({
    description: 'What the API server must know to refuse changes of what Git declares in this namespace.',
    // One field, one owner: managedFields would be larger than the list itself.
    'x-kubernetes-map-type': 'atomic',
  });

export type DriftGuardSpec = z.output<typeof driftGuardSpec>;
export type GuardedSource = z.output<typeof guardedSource>;

/** The list of one namespace, in that namespace; the one of the operator's own has the objects that are in none, too. */
export interface DriftGuard extends KubeObject {
  kind: 'DriftGuard';
  spec: DriftGuardSpec;
}
