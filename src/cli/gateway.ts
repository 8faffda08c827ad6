import { DEFAULT_GATEWAY, gatewaysOf, type Gateway } from '../gate/gateways.ts';
import type { EdgePolicySpec } from '../api/edge-policy.ts';
import type { Severity } from '../edge/finding.ts';
import type { Guard } from '../edge/guard.ts';
import type { EdgeSettings } from '../edge/input.ts';
import { groupOf, type KubeObject } from '../kube/object.ts';
import type { Arguments } from './arguments.ts';

/** The gateway that is judged, and by what. */
export interface JudgedGateway {
  readonly settings: EdgeSettings;
  readonly guard: Guard;
  /** Exit with 1 from this severity on. */
  readonly failOn: Severity;
  readonly notes: readonly string[];
}

export function isEdgePolicy({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'EdgePolicy' && groupOf(apiVersion) === 'plumbline.dev';
}

/**
 * What the EdgePolicies (from the files, or live) ask, overruled by the flags. Without `--ambassador-id` the gateway of the
 * only policy is meant, else `default`.
 */
export async function chooseGateway(
  { gateway: flags, ignore, failOn }: Pick<Arguments, 'gateway' | 'ignore' | 'failOn'>,
  policies: readonly KubeObject[],
  namespaces: readonly KubeObject[],
  servedVersions: ReadonlySet<string> | undefined,
): Promise<JudgedGateway> {
  const { specs, notes } = await readPolicies(policies);
  const labels = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  const gateways = gatewaysOf(specs, labels);
  const [described, ...others] = gateways.filter(({ policy }) => policy !== undefined);
  const only = others.length === 0 ? described?.settings.ambassadorId : undefined;
  const wanted = flags.ambassadorId ?? only ?? DEFAULT_GATEWAY.settings.ambassadorId;
  const gateway = gateways.find(({ settings }) => settings.ambassadorId === wanted) ?? DEFAULT_GATEWAY;
  const ignored = ignore.map((rule): [string, string] => [rule, 'the command line says so']);
  const least = failOn ?? severityOf(gateway);
  return {
    settings: { ...gateway.settings, ambassadorId: wanted, ...flags },
    guard: {
      ...gateway.guard,
      failOn: least,
      ignored: new Map([...gateway.guard.ignored, ...ignored]),
      servedVersions,
    },
    failOn: least,
    notes: [...(gateway.policy === undefined ? [] : [`judged by EdgePolicy ${gateway.policy}`]), ...notes],
  };
}

function severityOf({ failOn }: Gateway): Severity {
  return failOn === 'Warning' ? 'warning' : 'error';
}

/** The schema is loaded only when there is something to read. */
async function readPolicies(
  policies: readonly KubeObject[],
): Promise<{ specs: Map<string, EdgePolicySpec>; notes: string[] }> {
  const specs = new Map<string, EdgePolicySpec>();
  const notes: string[] = [];
  if (policies.length === 0) return { specs, notes };
  const { parseEdgePolicy } = await import('../api/edge-policy-reading.ts');
  for (const { metadata, spec } of policies) {
    const parsed = parseEdgePolicy(spec);
    if (parsed.spec) specs.set(metadata.name, parsed.spec);
    if (parsed.ok) continue;
    const why = parsed.problems.map(({ path, message }) => `${path} ${message}`).join('; ');
    const holds = parsed.spec ? 'what cannot be read counts as its strictest value' : 'it counts for no gateway';
    notes.push(`EdgePolicy ${metadata.name} is not valid, ${holds}: ${why}`);
  }
  return { specs, notes };
}
