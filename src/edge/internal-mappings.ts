import { Frozen } from './compilation.ts';
import { aboutPolicies } from './facts.ts';
import { isRecord } from './spec.ts';
import type { AmbassadorModule } from './module.ts';
import type { EdgeSettings } from './input.ts';
import type { Policy } from './model.ts';

const OWN = { instead: "Emissary's own" };

/** Emissary's own routes: where a request to it goes unless the Module says otherwise. */
const PROBES = [
  ['liveness', 'liveness_probe', '/ambassador/v0/check_alive'],
  ['readiness', 'readiness_probe', '/ambassador/v0/check_ready'],
  ['diagnostics', 'diagnostics', '/ambassador/v0/'],
] as const;
const DIAGNOSTICS_SERVICE = '127.0.0.1:8877';
/** What Emissary says itself of each of its Mappings: whoever says it too in the Module has it said twice, which raises. */
const SAID_ALREADY = ['hostname', 'kind', 'location', 'name', 'rkey', 'timeout_ms'];

function nameOf(probe: string): string {
  return `internal_${probe}_probe_mapping`;
}

const NAMES = new Set(PROBES.map(([probe]) => nameOf(probe)));

/**
 * Is it the name of one of them? By it alone upstream knows what every Host serves (ir/irhost.py, matches_httpgroup), and nothing
 * keeps a Mapping in an annotation from having it too.
 */
export function isProbe(name: string): boolean {
  return NAMES.has(name);
}

const remembered = new WeakMap<EdgeSettings, Map<string, Policy>>();

/** Mappings for the probes and the diagnostics that the Module does not turn off. They are read and grouped like any other (ir/irambassador.py). */
export function internalMappings(module: AmbassadorModule, settings: EdgeSettings): Policy[] {
  const known = remembered.get(settings) ?? new Map<string, Policy>();
  remembered.set(settings, known);
  return PROBES.flatMap(([probe, field, prefix]) => {
    const written = Object.hasOwn(module.config, field) ? module.config[field] : { enabled: true };
    if (!isRecord(written) || !written['enabled']) return [];
    const twice = SAID_ALREADY.find((name) => Object.hasOwn(written, name));
    if (twice) {
      const message = `Module ambassador: ${field} may not have ${twice}, which Emissary sets itself`;
      throw new Frozen({ stage: 'ir', message, policy: module.policy });
    }
    const spec = {
      ...written,
      prefix: written['prefix'] || prefix,
      rewrite: written['rewrite'] || prefix,
      service: written['service'] || DIAGNOSTICS_SERVICE,
      timeout_ms: 10_000,
      hostname: '*',
    };
    const identity = JSON.stringify([module.key, spec], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const policy = known.get(identity) ?? internal(nameOf(probe), spec, module.key, settings.namespace);
    known.set(identity, policy);
    return [policy];
  });
}

function internal(name: string, spec: Policy['spec'], key: string, namespace: string): Policy {
  const kind = 'InternalMapping';
  const written = { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace }, spec };
  return {
    kind,
    name,
    namespace,
    labels: {},
    spec,
    key,
    storedName: name,
    origin: OWN,
    written,
    facts: aboutPolicies.none(),
  };
}
