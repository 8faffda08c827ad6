import { EDGE_MODES, FAIL_ON, type EdgeMode, type FailOn } from '../api/edge-fields.ts';
import type { EdgePolicySpec } from '../api/edge-policy.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Severity } from '../edge/finding.ts';
import { DEFAULT_GUARD, TLS_VERSIONS, type Grant, type Guard } from '../edge/guard.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../edge/input.ts';

/** Labels of the namespaces of the cluster, by name. */
export type Namespaces = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** One Emissary gateway, and what the platform team asks of everybody who publishes something there. */
export interface Gateway {
  /** The EdgePolicy, if there is one. */
  readonly policy: string | undefined;
  readonly settings: EdgeSettings;
  readonly guard: Guard;
  /** The least that a source must accept. */
  readonly mode: EdgeMode;
  readonly failOn: FailOn;
  readonly overrides: NonNullable<EdgePolicySpec['overrides']>;
}

/** Without any policy: the platform team asks for nothing, and each source is as strict as it says itself. */
export const DEFAULT_GATEWAY: Gateway = {
  policy: undefined,
  settings: DEFAULT_EDGE_SETTINGS,
  guard: DEFAULT_GUARD,
  mode: 'Off',
  failOn: 'Error',
  overrides: [],
};

/**
 * The gateways that the policies (by name) describe, one for each ambassadorId: of two policies for one the first by name
 * counts. The gateway that every object without an ambassador_id is for is there in any case: a policy for another one does
 * not take it out of judgement.
 */
export function gatewaysOf(policies: ReadonlyMap<string, EdgePolicySpec>, namespaces: Namespaces): Gateway[] {
  const gateways = new Map<string, Gateway>();
  for (const [name, spec] of [...policies].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!gateways.has(spec.ambassadorId)) gateways.set(spec.ambassadorId, gatewayOf(name, spec, namespaces));
  }
  const isDescribed = gateways.has(DEFAULT_GATEWAY.settings.ambassadorId);
  return [...gateways.values(), ...(isDescribed ? [] : [DEFAULT_GATEWAY])];
}

function gatewayOf(policy: string, spec: EdgePolicySpec, namespaces: Namespaces): Gateway {
  const { mode, failOn, tlsFloor, unclaimed } = spec;
  return {
    policy,
    settings: settingsOf(spec),
    guard: {
      ...DEFAULT_GUARD,
      tlsFloor,
      unclaimed,
      ignored: new Map((spec.ignore ?? []).map(({ rule, reason }) => [rule, reason])),
      grants: (spec.grants ?? []).map((grant) => grantOf(grant, namespaces)),
    },
    mode,
    failOn,
    overrides: spec.overrides ?? [],
  };
}

function settingsOf(spec: EdgePolicySpec): EdgeSettings {
  const { ambassadorId, emissaryVersion: version, namespace, strictLabelSelectors } = spec;
  const { singleNamespace, labelSelector, environment = [] } = spec;
  return {
    ambassadorId,
    version,
    namespace,
    strictLabelSelectors,
    environment: Object.fromEntries(environment.map(({ name, value }) => [name, value])),
    ...(singleNamespace && { singleNamespace }),
    ...(labelSelector !== undefined && { labelSelector }),
  };
}

function grantOf(grant: NonNullable<EdgePolicySpec['grants']>[number], namespaces: Namespaces): Grant {
  const { name, namespaces: listed, selector, hosts = [], prefixes = [], kinds = [] } = grant;
  const wanted = Object.entries(selector?.matchLabels ?? {});
  const selected = [...namespaces].filter(([, labels]) => wanted.every(([key, value]) => labels[key] === value));
  const holder = name ?? listed?.join(', ') ?? wanted.map(([key, value]) => `${key}=${value}`).join(',');
  return { holder, namespaces: new Set(listed ?? selected.map(([namespace]) => namespace)), hosts, prefixes, kinds };
}

/** What a source is judged by: its own wish where that is stricter than the gateway's. */
export interface Demand {
  readonly mode: EdgeMode;
  readonly threshold: Severity | 'freeze';
  readonly guard: Guard;
}

/** A source may tighten what the gateway asks for, and never loosen it. */
export function demandOf({ mode, failOn, guard }: Gateway, edge: GitOpsSourceSpec['edge']): Demand {
  const strictest = later(EDGE_MODES, mode, edge.mode);
  const least = later(FAIL_ON, failOn, edge.failOn ?? failOn) === 'Warning' ? 'warning' : 'error';
  const tlsFloor = later(TLS_VERSIONS, guard.tlsFloor, edge.tlsFloor ?? guard.tlsFloor);
  return {
    mode: strictest,
    threshold: strictest === 'Enforce' ? least : 'freeze',
    guard: tlsFloor === guard.tlsFloor ? guard : { ...guard, tlsFloor },
  };
}

function later<T>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
