import type { Compilation } from './compilation.ts';
import { textAt } from './spec.ts';

/** How a service becomes endpoints. */
export type ResolverKind = 'ConsulResolver' | 'KubernetesEndpointResolver' | 'KubernetesServiceResolver';

/** Either name of a pair stands for the other; of a pair that nobody declares both are built in. */
const PAIRS = [
  ['endpoint', 'kubernetes-endpoint', 'KubernetesEndpointResolver'],
  ['consul', 'consul-endpoint', 'ConsulResolver'],
] as const;

/** All resolvers by name, declared and built in (ir/irserviceresolver.py). */
export function resolversOf(compilation: Compilation): ReadonlyMap<string, ResolverKind> {
  const resolvers = new Map<string, ResolverKind>();
  for (const policy of compilation.of('Resolver')) {
    if (policy.kind === 'ConsulResolver' && !textAt(policy.spec, 'datacenter')) {
      compilation.error(policy.key, 'ConsulResolver is required to have a datacenter');
    }
    resolvers.set(policy.storedName, policy.kind as ResolverKind);
  }
  if (!resolvers.has('kubernetes-service')) resolvers.set('kubernetes-service', 'KubernetesServiceResolver');
  for (const [name, other, builtIn] of PAIRS) {
    const kind = resolvers.get(name) ?? resolvers.get(other) ?? builtIn;
    resolvers.set(name, resolvers.get(name) ?? kind);
    resolvers.set(other, resolvers.get(other) ?? kind);
  }
  return resolvers;
}
