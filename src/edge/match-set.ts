import { NONE } from '../none.ts';
import { isDeepStrictEqual } from 'node:util';
import { GLOBAL_KEY } from './compilation.ts';
import { cacheKeyOf, coreOf, type ReadMapping } from './mapping.ts';
import type { Drop, Policy, Posted } from './model.ts';

/** What becomes of Mappings that ask for the same requests: upstream's group before clusters and weights are worked out. */
export interface GroupDraft {
  /** The Mapping that made it: the later ones are measured by it, and errors are posted under its key. */
  readonly first: ReadMapping;
  readonly members: readonly ReadMapping[];
  readonly redirect: ReadMapping | undefined;
  readonly shadow: ReadMapping | undefined;
  readonly errored: boolean;
  readonly errors: readonly Posted[];
  readonly drops: readonly Drop[];
}

/** `mappings`: in the compiler's order, at least one (ir/irhttpmappinggroup.py). What comes of it depends on nothing else. */
export function draftOf(mappings: readonly ReadMapping[]): GroupDraft {
  const [first] = mappings as readonly [ReadMapping];
  const isPlain = mappings.length === 1 && first.kind === 'route';
  if (!isPlain) return new Joining(first).joined(mappings);
  return {
    first,
    members: mappings,
    redirect: undefined,
    shadow: undefined,
    errored: false,
    errors: NONE,
    drops: NONE,
  };
}

/** One Mapping after the other is added. */
class Joining implements GroupDraft {
  readonly first: ReadMapping;
  readonly members: ReadMapping[] = [];
  readonly errors: Posted[] = [];
  readonly drops: Drop[] = [];
  redirect: ReadMapping | undefined;
  shadow: ReadMapping | undefined;
  errored = false;
  /** The members by cache key. */
  readonly #byName = new Map<string, ReadMapping>();
  #core: ReadonlyMap<string, unknown> | undefined;

  constructor(first: ReadMapping) {
    this.first = first;
  }

  joined([first, ...others]: readonly ReadMapping[]): GroupDraft {
    if (first) this.#accept(first);
    for (const mapping of others) this.#join(mapping);
    return this;
  }

  #join(mapping: ReadMapping): void {
    const twin = this.#byName.get(cacheKeyOf(mapping));
    if (twin) {
      const message = `its name is equal to ${twin.policy.name} up to the first dot, so both are taken for one`;
      this.drops.push({ policy: mapping.policy, reason: 'swallowed', message, by: twin.policy });
      return;
    }
    const core = (this.#core ??= coreOf(this.first));
    const mismatches = [...coreOf(mapping)]
      .filter(([field, value]) => !agrees(core, field, value))
      .map(([field]) => field);
    if (mismatches.length === 0) return this.#accept(mapping);
    this.errored = true;
    this.#reject(mapping.policy, `with mismatched ${mismatches.join(', ')}`, this.first.policy.key);
  }

  #accept(mapping: ReadMapping): void {
    const { policy, kind } = mapping;
    if (kind === 'shadow' && policy.spec['host_redirect'] === true) {
      const message = 'At most one of host_redirect and shadow may be set; ignoring host_redirect';
      this.errors.push({ key: policy.key, message });
    }
    const { key } = this.first.policy;
    if (kind === 'shadow') {
      if (this.shadow) return this.#reject(policy, 'as second shadow', key, this.shadow);
      this.shadow = mapping;
    } else if (kind === 'redirect') {
      const [member] = this.members;
      if (this.redirect) return this.#reject(policy, 'as second host_redirect', key, this.redirect);
      if (member) return this.#reject(policy, 'with host_redirect beside Mappings without', key, member);
      this.redirect = mapping;
    } else if (this.redirect) {
      this.#reject(policy, 'without host_redirect beside one with it', GLOBAL_KEY, this.redirect);
    } else {
      this.members.push(mapping);
      this.#byName.set(cacheKeyOf(mapping), mapping);
    }
  }

  #reject(policy: Policy, why: string, key: string, by = this.first): void {
    this.errors.push({ key, message: `cannot accept ${policy.storedName} ${why} (${by.policy.storedName})` });
    const message = `not accepted ${why}: ${by.policy.namespace}/${by.policy.name} came first`;
    this.drops.push({ policy, reason: 'rejected', message, by: by.policy });
  }
}

/** One-sided: what the group has and the newcomer lacks does not matter. */
function agrees(core: ReadonlyMap<string, unknown>, field: string, value: unknown): boolean {
  return core.has(field) && isDeepStrictEqual(core.get(field), value);
}
