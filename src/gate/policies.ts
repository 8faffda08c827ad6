import type { EdgePolicy, EdgePolicySpec } from '../api/edge-policy.ts';
import { parseEdgePolicy, type ParsedEdgePolicy } from '../api/edge-policy-reading.ts';
import type { EdgePolicyStatus } from '../api/edge-policy-status.ts';
import { identityKey } from '../kube/object.ts';

/** An EdgePolicy as it was read last; a subject of `StatusWriter`. */
export class WatchedPolicy {
  readonly namespace = '';
  readonly name: string;
  resource: EdgePolicy;
  parsed: ParsedEdgePolicy;
  /** What we wrote, or read at the start; conditions keep their transition times through it. */
  status: EdgePolicyStatus;

  constructor(resource: EdgePolicy) {
    this.name = resource.metadata.name;
    this.resource = resource;
    this.parsed = parseEdgePolicy(resource.spec);
    this.status = resource.status ?? { observedGeneration: -1 };
  }
}

export interface PolicyListener {
  /** A watch brought it, perhaps with another status only. */
  policySeen(policy: WatchedPolicy): void;
  /** It exists no more. */
  policyGone(policy: WatchedPolicy): void;
}

/** The EdgePolicies of the cluster, by name. No I/O. */
export class EdgePolicies {
  readonly #all = new Map<string, WatchedPolicy>();
  readonly #listener: PolicyListener;

  constructor(listener: PolicyListener) {
    this.#listener = listener;
  }

  get all(): readonly WatchedPolicy[] {
    return [...this.#all.values()];
  }

  /** What holds, by name; of a malformed one what can be read. */
  get specs(): ReadonlyMap<string, EdgePolicySpec> {
    const specs = this.all.flatMap(({ name, parsed }) => (parsed.spec ? [[name, parsed.spec] as const] : []));
    return new Map(specs);
  }

  /** The policy, when something may hold now that did not before; a change of status alone is our own. */
  seen(resource: EdgePolicy): WatchedPolicy | undefined {
    const { name, uid, generation } = resource.metadata;
    const known = this.#all.get(name);
    if (!known || known.resource.metadata.uid !== uid) {
      this.delete(name);
      const policy = new WatchedPolicy(resource);
      this.#all.set(name, policy);
      return policy;
    }
    const before = known.resource.metadata.generation;
    known.resource = resource;
    this.#listener.policySeen(known);
    if (before === generation) return undefined;
    known.parsed = parseEdgePolicy(resource.spec);
    return known;
  }

  delete(name: string): boolean {
    const policy = this.#all.get(name);
    if (policy) this.#listener.policyGone(policy);
    return this.#all.delete(name);
  }

  /** There are no others but these, by identityKey; true: some are gone. */
  keep(seen: ReadonlySet<string>): boolean {
    const isGone = (name: string) =>
      !seen.has(identityKey({ group: 'plumbline.dev', kind: 'EdgePolicy', namespace: '', name }));
    const gone = [...this.#all.keys()].filter(isGone);
    for (const name of gone) this.delete(name);
    return gone.length > 0;
  }
}
