import type { Compilation } from './compilation.ts';
import type { Policy } from './model.ts';
import { textAt } from './spec.ts';

/** How a service becomes endpoints. */
export const RESOLVER_KINDS = ['ConsulResolver', 'KubernetesEndpointResolver', 'KubernetesServiceResolver'] as const;
export type ResolverKind = (typeof RESOLVER_KINDS)[number];

/** Either name of a pair stands for the other; of a pair that nobody declares both are built in. */
const PAIRS = [
  ['endpoint', 'kubernetes-endpoint', 'KubernetesEndpointResolver'],
  ['consul', 'consul-endpoint', 'ConsulResolver'],
] as const;

/** All resolvers by name, declared and built in (ir/irserviceresolver.py). */
export function resolversOf(compilation: Compilation): ReadonlyMap<string, ResolverKind> {
  const declared = compilation.of('Resolver');
  for (const policy of declared) {
    if (isUsable(policy)) continue;
    const why = 'ConsulResolver is required to have a datacenter';
    compilation.error(policy.key, why);
    compilation.drop(policy, 'invalid', why);
  }
  return resolverKinds(declared);
}

/** What is not is as unknown to those who name it as if nobody declared it. */
function isUsable({ kind, spec }: Policy): boolean {
  return kind !== 'ConsulResolver' || Boolean(textAt(spec, 'datacenter'));
}

/** Name → kind: those that are declared, and those that are built in. */
export function resolverKinds(declared: Iterable<Policy>): ReadonlyMap<string, ResolverKind> {
  const resolvers = new Map<string, ResolverKind>();
  for (const policy of declared) if (isUsable(policy)) resolvers.set(policy.storedName, policy.kind as ResolverKind);
  if (!resolvers.has('kubernetes-service')) resolvers.set('kubernetes-service', 'KubernetesServiceResolver');
  for (const [name, other, builtIn] of PAIRS) {
    const kind = resolvers.get(name) ?? resolvers.get(other) ?? builtIn;
    resolvers.set(name, resolvers.get(name) ?? kind);
    resolvers.set(other, resolvers.get(other) ?? kind);
  }
  return resolvers;
}
