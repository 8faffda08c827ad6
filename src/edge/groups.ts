import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import { finishGroup } from './group-result.ts';
import { coreOf, readMapping, type MappingContext, type ReadMapping } from './mapping.ts';
import type { Clusters } from './clusters.ts';
import type { Policy, RouteGroup } from './model.ts';
import type { SelectedLabels } from './selected-labels.ts';

/** A group while Mappings are added to it. */
export interface GroupDraft {
  readonly id: string;
  /** The Mapping that made it: the later ones are measured by it, and errors are posted under its key. */
  readonly first: ReadMapping;
  readonly members: ReadMapping[];
  /** The members by cache key, once there are two to compare. */
  byName: Map<string, ReadMapping> | undefined;
  redirect: ReadMapping | undefined;
  shadow: ReadMapping | undefined;
  errored: boolean;
}

/** All groups of HTTP routes, in the order in which they come to be (ir/irhttpmappinggroup.py, ir/ir.py `add_mapping`). */
export class Groups {
  readonly #drafts = new Map<string, GroupDraft>();
  readonly #compilation: Compilation;
  readonly #context: MappingContext;
  readonly #labels: SelectedLabels;

  constructor(compilation: Compilation, context: MappingContext, labels: SelectedLabels) {
    this.#compilation = compilation;
    this.#context = context;
    this.#labels = labels;
  }

  /** Reads all of them before the first one is added, as upstream does: that is when a service can freeze the edge. */
  addAll(policies: Iterable<Policy>): void {
    const mappings: ReadMapping[] = [];
    for (const policy of policies) mappings.push(this.#read(policy));
    for (const mapping of mappings) this.#add(mapping);
  }

  #read(policy: Policy): ReadMapping {
    const mapping = readMapping(policy, this.#context);
    for (const error of mapping.errors) this.#compilation.errors.push(error);
    for (const notice of mapping.notices) this.#compilation.notices.push(notice);
    if (mapping.freeze) throw new Frozen(mapping.freeze);
    return mapping;
  }

  #add(mapping: ReadMapping): void {
    const { policy, problem, match } = mapping;
    if (problem !== undefined || !match)
      return this.#compilation.drop(policy, 'invalid', problem ?? 'it has no prefix');
    const labels = match.host === undefined || match.hostRegex ? this.#labels.identityOf(policy.labels) : '';
    const { precedence } = match;
    // The text of the Mapping itself wherever possible: its hash is known already.
    const identity = labels || precedence !== 0 ? `${match.identity}${labels}${precedence || ''}` : match.identity;
    const group = this.#drafts.get(identity);
    if (group) return this.#join(group, mapping);
    const id = groupId(mapping, identity);
    const draft: GroupDraft = {
      id,
      first: mapping,
      members: [],
      byName: undefined,
      redirect: undefined,
      shadow: undefined,
      errored: false,
    };
    this.#drafts.set(identity, draft);
    this.#accept(draft, mapping);
  }

  #join(group: GroupDraft, mapping: ReadMapping): void {
    const { policy } = mapping;
    group.byName ??= new Map(group.members.map((member) => [member.cacheKey, member]));
    const twin = group.byName.get(mapping.cacheKey);
    if (twin) {
      const message = `its name is equal to ${twin.policy.name} up to the first dot, so both are taken for one`;
      return this.#compilation.drop(policy, 'swallowed', message, twin.policy);
    }
    const core = coreOf(group.first);
    const mismatches = [...coreOf(mapping)]
      .filter(([field, value]) => !agrees(core, field, value))
      .map(([field]) => field);
    if (mismatches.length === 0) return this.#accept(group, mapping);
    group.errored = true;
    this.#reject(group, mapping, `with mismatched ${mismatches.join(', ')}`, group.first.policy.key);
  }

  #accept(group: GroupDraft, mapping: ReadMapping): void {
    const { policy, kind } = mapping;
    if (kind === 'shadow' && policy.spec['host_redirect'] === true) {
      this.#compilation.error(policy.key, 'At most one of host_redirect and shadow may be set; ignoring host_redirect');
    }
    const { key } = group.first.policy;
    if (kind === 'shadow') {
      if (group.shadow) return this.#reject(group, mapping, 'as second shadow', key, group.shadow);
      group.shadow = mapping;
    } else if (kind === 'redirect') {
      const [member] = group.members;
      if (group.redirect) return this.#reject(group, mapping, 'as second host_redirect', key, group.redirect);
      if (member) return this.#reject(group, mapping, 'with host_redirect beside Mappings without', key, member);
      group.redirect = mapping;
    } else if (group.redirect) {
      this.#reject(group, mapping, 'without host_redirect beside one with it', GLOBAL_KEY, group.redirect);
    } else {
      group.members.push(mapping);
      group.byName?.set(mapping.cacheKey, mapping);
    }
  }

  #reject(group: GroupDraft, { policy }: ReadMapping, why: string, key: string, by = group.first): void {
    this.#compilation.error(key, `cannot accept ${policy.storedName} ${why} (${by.policy.storedName})`);
    this.#compilation.drop(
      policy,
      'rejected',
      `not accepted ${why}: ${by.policy.namespace}/${by.policy.name} came first`,
      by.policy,
    );
  }

  /** Clusters and weights are worked out when all Mappings are in. */
  finish(clusters: Clusters): RouteGroup[] {
    const { module } = this.#context;
    return [...this.#drafts.values()].map((draft) => finishGroup(draft, clusters, this.#compilation, module));
  }
}

/** One-sided: what the group has and the newcomer lacks does not matter. */
function agrees(core: ReadonlyMap<string, unknown>, field: string, value: unknown): boolean {
  return core.has(field) && isDeepStrictEqual(core.get(field), value);
}

/** Upstream's group id: SHA-1 over the identity, hex. */
function groupId({ memory }: ReadMapping, identity: string): string {
  if (memory.id?.identity !== identity) memory.id = { identity, id: hash('sha1', identity) };
  return memory.id.id;
}
