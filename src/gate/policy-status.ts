import { removeCondition, setCondition, type Condition, type NewCondition } from '../api/conditions.ts';
import type { EdgePolicySpec } from '../api/edge-policy.ts';
import type { EdgePolicyStatus } from '../api/edge-policy-status.ts';
import { condition } from '../report/status-size.ts';
import type { WatchedPolicy } from './policies.ts';

/** How an EdgePolicy stands among the others, and what it does. */
export interface PolicyStanding {
  /** Another one is about the same gateway and counts. */
  readonly takenBy: string | undefined;
  /** undefined: the edge has not been judged by it yet. */
  readonly counts: PolicyCounts | undefined;
  /** Those of spec.overrides whose commit is enforced now. */
  readonly overridesInUse: NonNullable<EdgePolicySpec['overrides']>;
}

export type PolicyCounts = Required<Omit<EdgePolicyStatus, 'observedGeneration' | 'conditions'>>;

/** The whole status of a policy; pure. The same input gives the same status, to the byte. */
export function policyStatusOf(policy: WatchedPolicy, standing: PolicyStanding, now: Date): EdgePolicyStatus {
  const { generation = 0 } = policy.resource.metadata;
  const observed = { observedGeneration: generation };
  let conditions = (policy.status.conditions ?? []) as Condition[];
  conditions = setCondition(conditions, { ...readyOf(policy, standing), ...observed }, now);
  const overridden = overriddenOf(standing);
  conditions = overridden
    ? setCondition(conditions, { ...overridden, ...observed }, now)
    : removeCondition(conditions, 'Overridden');
  return { ...observed, conditions, ...standing.counts };
}

function readyOf({ parsed }: WatchedPolicy, { takenBy, counts }: PolicyStanding): NewCondition {
  const ready = (status: Condition['status'], reason: string, message: string) =>
    condition('Ready', status, reason, message);
  if (!parsed.ok) {
    const wrong = parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
    const holds =
      takenBy !== undefined
        ? `The EdgePolicy ${takenBy} is about the same gateway and counts`
        : parsed.spec
          ? `Until it is mended what can be read of it holds, with mode ${parsed.spec.mode}, failOn ${parsed.spec.failOn}, ` +
            `tlsFloor ${parsed.spec.tlsFloor} and unclaimed ${parsed.spec.unclaimed}: the strictest for what cannot be read`
          : 'Nobody can tell which gateway it is about: until it is mended it counts for none';
    return ready('False', 'InvalidSpec', `${wrong}. ${holds}`);
  }
  const { ambassadorId, mode } = parsed.spec;
  if (takenBy !== undefined)
    return ready(
      'False',
      'AmbassadorIdTaken',
      `the EdgePolicy ${takenBy}, which is first by name, is about the gateway ${ambassadorId}, too: it counts, and this ` +
        'one does not. Delete one of them, or give this one another ambassadorId',
    );
  if (!counts) return ready('Unknown', 'Progressing', 'the edge is being judged by it');
  return ready('True', 'InForce', IN_FORCE[mode](ambassadorId));
}

const IN_FORCE: Record<EdgePolicySpec['mode'], (gateway: string) => string> = {
  Enforce: (gateway) => `what would hurt the gateway ${gateway} is not applied, whichever source brings it`,
  Warn: (gateway) =>
    `every source hears what is wrong on the gateway ${gateway}; only what freezes it is stopped, unless the source asks for more`,
  Off: (gateway) => `on the gateway ${gateway} only those sources are judged that ask for it`,
};

function overriddenOf({ overridesInUse }: PolicyStanding): NewCondition | undefined {
  if (overridesInUse.length === 0) return undefined;
  const said = overridesInUse.map(({ source, commit, reason }) => `${source} at ${commit}: ${reason}`);
  const message = `${said.join('; ')}. Each may go when the source has moved on`;
  return condition('Overridden', 'True', 'OverridesInUse', message);
}
