import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Finding } from '../edge/finding.ts';
import { demandOf, type Gateway } from './gateways.ts';
import type { JudgedGateway } from './judgements.ts';
import type { WatchedPolicy } from './policies.ts';
import type { PolicyCounts, PolicyStanding } from './policy-status.ts';

/** What an EdgePolicy does depends on at one moment. */
export interface Present {
  readonly gateways: readonly Gateway[];
  /** For each source that is stopped: the EdgePolicy of the gateway that it would hurt. */
  readonly blocked: Iterable<string | undefined>;
  /** The commit of a source that passed the gate last. */
  readonly commitOf: (source: string) => string | undefined;
}

/** What each EdgePolicy does, as its status tells. No I/O. */
export class EdgeStandings {
  /** By EdgePolicy, as the edges were judged last; who is stopped changes in between. */
  #counts = new Map<string, Omit<PolicyCounts, 'blocked'>>();

  /** `judged` is empty where there is not one policy of Emissary's. */
  count(
    gateways: readonly Gateway[],
    judged: readonly JudgedGateway[],
    edgeOf: (source: string) => GitOpsSourceSpec['edge'] | undefined,
  ): void {
    const edges = new Map(judged);
    this.#counts = new Map();
    for (const gateway of gateways) {
      if (gateway.policy === undefined) continue;
      const { size = { routes: 0, hosts: 0 }, findings = [], tallies } = edges.get(gateway) ?? {};
      const isJudged = (source: string) => {
        const edge = edgeOf(source);
        return edge !== undefined && demandOf(gateway, edge).mode !== 'Off';
      };
      const sources = [...(tallies?.keys() ?? [])].filter(isJudged).length;
      const found = (wanted: Finding['severity']) => findings.filter(({ severity }) => severity === wanted).length;
      this.#counts.set(gateway.policy, { ...size, sources, errors: found('error'), warnings: found('warning') });
    }
  }

  of({ name, parsed }: WatchedPolicy, { gateways, blocked, commitOf }: Present): PolicyStanding {
    const { spec } = parsed;
    const gateway = spec && gateways.find(({ settings }) => settings.ambassadorId === spec.ambassadorId);
    if (gateway?.policy !== name) return { takenBy: gateway?.policy, counts: undefined, overridesInUse: [] };
    const counts = this.#counts.get(name);
    const stopped = [...blocked].filter((policy) => policy === name).length;
    return {
      takenBy: undefined,
      counts: counts && { ...counts, blocked: stopped },
      overridesInUse: gateway.overrides.filter(({ source, commit }) => commitOf(source) === commit),
    };
  }
}
