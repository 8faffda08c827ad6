import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { beforeDot, serviceOf, type MappingContext } from './mapping.ts';
import { breakerNames } from './upstream-options.ts';
import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import { numberAt, textAt, valueAt } from './spec.ts';
import { sharesOf, weightsOf } from './weights.ts';
import type { Clusters } from './clusters.ts';
import type { Policy, TcpGroup } from './model.ts';

const CORE_FIELDS = ['address', 'enable_ipv4', 'enable_ipv6', 'host', 'idle_timeout_ms', 'port', 'tls'] as const;

interface TcpMember {
  readonly policy: Policy;
  readonly service: string;
  readonly cacheKey: string;
  readonly core: ReadonlyMap<string, unknown>;
  readonly breakers: readonly string[];
}

interface TcpDraft {
  readonly identity: string;
  readonly first: TcpMember;
  readonly members: TcpMember[];
  errored: boolean;
}

/** TCPMappings by address, port and host (ir/irtcpmapping.py, ir/irtcpmappinggroup.py). There are few of them: nothing is remembered. */
export class TcpGroups {
  readonly #drafts = new Map<string, TcpDraft>();
  readonly #compilation: Compilation;
  readonly #context: MappingContext;

  constructor(compilation: Compilation, context: MappingContext) {
    this.#compilation = compilation;
    this.#context = context;
  }

  addAll(policies: Iterable<Policy>): void {
    const members = Array.from(policies, (policy) => this.#read(policy));
    for (const member of members) if (member) this.#add(member);
  }

  #read(policy: Policy): TcpMember | undefined {
    const { spec, key, storedName, namespace } = policy;
    const { module, resolvers } = this.#context;
    const name = textAt(spec, 'resolver') || module.resolver;
    const resolver = resolvers.get(name);
    const { service, refused, freeze } = serviceOf(policy, this.#context, resolver);
    // A service that is there and cannot be read is no trouble before its cluster is made.
    if (freeze && !Object.hasOwn(spec, 'service')) throw new Frozen(freeze);
    if (refused) this.#compilation.error(GLOBAL_KEY, refused);
    const circuitBreakers = valueAt(spec, 'circuit_breakers') ?? module.circuitBreakers ?? null;
    const breakers = circuitBreakers === null ? [] : breakerNames(circuitBreakers);
    const problem = this.#problemOf(policy, name, service, breakers);
    if (problem !== undefined || !breakers) {
      this.#compilation.error(key, problem ?? '');
      this.#compilation.drop(policy, 'invalid', problem ?? '');
      return undefined;
    }
    const core = new Map<string, unknown>([['circuit_breakers', circuitBreakers]]);
    for (const field of CORE_FIELDS) if (Object.hasOwn(spec, field)) core.set(field, spec[field]);
    return { policy, service, core, breakers, cacheKey: `${beforeDot(storedName)}/${namespace}` };
  }

  #problemOf({ spec, key }: Policy, resolverName: string, service: string, breakers: unknown): string | undefined {
    const resolver = this.#context.resolvers.get(resolverName);
    if (numberAt(spec, 'port') === undefined) return 'a TCPMapping needs a port';
    if (!resolver) return `resolver ${resolverName} is unknown!`;
    if (resolver === 'ConsulResolver') {
      if (service.includes(':')) this.#compilation.notice(key, 'The Consul resolver ignores the requested port');
      if (service.includes('.')) return 'The Consul resolver does not allow dots in service names';
    }
    return breakers ? undefined : 'Invalid circuit_breakers specified, invalidating mapping';
  }

  #add(member: TcpMember): void {
    const { spec } = member.policy;
    const port = String(numberAt(spec, 'port'));
    const identity = `TCP-${textAt(spec, 'address') || '*'}${port}${textAt(spec, 'host') || '*'}`;
    const draft = this.#drafts.get(identity);
    if (draft) this.#join(draft, member);
    else this.#drafts.set(identity, { identity, first: member, members: [member], errored: false });
  }

  #join(draft: TcpDraft, member: TcpMember): void {
    const { first, members } = draft;
    const { policy, cacheKey, core } = member;
    const twin = members.find((other) => other.cacheKey === cacheKey);
    if (twin) {
      const message = `its name is equal to ${twin.policy.name} up to the first dot, so both are taken for one`;
      return this.#compilation.drop(policy, 'swallowed', message, twin.policy);
    }
    const mismatches = [...core].filter(
      ([field, value]) => !first.core.has(field) || !isDeepStrictEqual(first.core.get(field), value),
    );
    if (mismatches.length === 0) return void members.push(member);
    draft.errored = true;
    const fields = mismatches.map(([field]) => field).join(', ');
    this.#compilation.error(
      first.policy.key,
      `cannot accept new mapping ${policy.storedName} with mismatched ${fields}`,
    );
    this.#compilation.drop(policy, 'rejected', `not accepted with mismatched ${fields}`, first.policy);
  }

  finish(clusters: Clusters): TcpGroup[] {
    return [...this.#drafts.values()].map((draft) => this.#finish(draft, clusters));
  }

  #finish({ identity, first, members, errored }: TcpDraft, clusters: Clusters): TcpGroup {
    const targets = members.map(({ policy, service, breakers }) => {
      const { spec, namespace } = policy;
      const resolver = textAt(spec, 'resolver') || this.#context.module.resolver;
      const marker = textAt(spec, 'cluster_tag');
      const tls = valueAt(spec, 'tls');
      return clusters.add({ service, namespace, resolver, breakers, tls, ...(marker && { marker }) }, policy);
    });
    const weights = members.map(({ policy }) => numberAt(policy.spec, 'weight'));
    const { cumulative, order, problem } = weightsOf(weights);
    if (problem) {
      this.#compilation.error(first.policy.key, `the weights of a group of TCPMappings: ${problem}`);
      this.#compilation.error(first.policy.key, 'Could not normalize mapping weights, ignoring...');
    }
    const shares = sharesOf(cumulative);
    const { spec } = first.policy;
    return {
      id: hash('sha1', identity),
      // Empty texts are as good as none.
      address: textAt(spec, 'address') || null,
      port: numberAt(spec, 'port') ?? 0,
      host: textAt(spec, 'host') || null,
      errored: errored || problem !== undefined,
      members: order.flatMap((position, at) => {
        const member = members[position];
        const [end = 0, share = 0] = [cumulative[at], shares[at]];
        return member
          ? [{ policy: member.policy, weight: weights[position], cumulative: end, share, cluster: targets[position] }]
          : [];
      }),
    };
  }
}
