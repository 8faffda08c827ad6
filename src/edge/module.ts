import { Frozen, type Compilation } from './compilation.ts';
import { shown } from './shown.ts';
import { isRecord, valueAt } from './spec.ts';
import type { Policy, Spec } from './model.ts';

/** The Module `ambassador`: what holds where a policy says nothing itself. All of it is free-form: any JSON may stand anywhere. */
export interface AmbassadorModule {
  /** Absent: nobody declares one. */
  readonly policy: Policy | undefined;
  /** Errors of it and of Emissary's own routes are posted under this. */
  readonly key: string;
  /** `spec.config` as written. */
  readonly config: Spec;
  /** Name of the resolver for Mappings that name none. */
  readonly resolver: string;
  readonly circuitBreakers: unknown;
  readonly loadBalancer: unknown;
  /** Services are looked for in Emissary's namespace: names are not qualified. */
  readonly servicesInOwnNamespace: boolean;
}

/** Of Mappings, where neither they nor the Module name one. */
export const USUAL_RESOLVER = 'kubernetes-service';

// One object for ever: what is remembered with a Mapping is compared by it.
const NO_CONFIG: Spec = {};

/** The Module `ambassador` of the first namespace in the order; others of that name have no effect. */
export function moduleOf(compilation: Compilation): AmbassadorModule {
  for (const any of compilation.of('Module')) configOf(any);
  const policy = compilation.module('ambassador');
  if (policy) dropOthers(policy, compilation);
  const config = policy ? configOf(policy) : NO_CONFIG;
  return {
    policy,
    key: policy?.key ?? 'ir.ambassador',
    config,
    resolver: resolverIn(config),
    circuitBreakers: valueAt(config, 'circuit_breakers') ?? undefined,
    loadBalancer: valueAt(config, 'load_balancer') ?? undefined,
    servicesInOwnNamespace: Boolean(valueAt(config, 'use_ambassador_namespace_for_service_resolution')),
  };
}

/** What is no text is a name that no resolver has. */
function resolverIn(config: Spec): string {
  const resolver = valueAt(config, 'resolver');
  if (resolver === undefined) return USUAL_RESOLVER;
  return typeof resolver === 'string' ? resolver : shown(resolver);
}

/** `spec.config` of a Module; a Module without one makes the compiler raise while it loads. */
export function configOf(policy: Policy): Spec {
  const config = valueAt(policy.spec, 'config');
  if (isRecord(config)) return config;
  throw new Frozen({
    stage: 'load',
    message: `Module ${policy.namespace}/${policy.name}: spec.config is not an object`,
    policy,
  });
}

function dropOthers(kept: Policy, compilation: Compilation): void {
  for (const other of compilation.of('Module')) {
    if (other.name !== 'ambassador' || other === kept) continue;
    compilation.drop(
      other,
      'duplicate',
      `the Module of namespace ${kept.namespace} sorts first; only one counts`,
      kept,
    );
  }
}

/** A default of the Module for a field of a Mapping: `defaults.httpmapping` before `defaults`. */
export function defaultFor(module: AmbassadorModule, field: string): unknown {
  return valueAt(module.config, 'defaults', 'httpmapping', field) ?? valueAt(module.config, 'defaults', field);
}
