import type { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ReflectorHandler } from '../kube/reflector.ts';

/**
 * Tells by name (`plural.group`) of each CRD whose content changes. Another list type rewrites every manager's entry in
 * managedFields with the next write of an object, whoever writes it: that must be us, or Prevent would refuse it.
 */
export function crdHandler(listener: {
  redefined: (crd: string) => void;
  problem: (error: KubeError) => void;
}): ReflectorHandler {
  const generations = new Map<string, number>();
  const seen = ({ metadata: { name, generation = 0 } }: KubeObject) => {
    const before = generations.get(name);
    generations.set(name, generation);
    if (before !== undefined && before !== generation) listener.redefined(name);
  };
  return {
    listStarted: () => undefined,
    item: seen,
    listDone: () => undefined,
    event: (type, object) => (type === 'DELETED' ? void generations.delete(object.metadata.name) : seen(object)),
    problem: listener.problem,
  };
}
