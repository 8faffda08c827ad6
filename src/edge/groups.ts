import { hash } from 'node:crypto';
import { Frozen, type Compilation } from './compilation.ts';
import { finishGroup, type MadeGroup } from './group-result.ts';
import type { EdgeSettings } from './input.ts';
import { readMapping, type MappingContext, type ReadMapping } from './mapping.ts';
import { identityOf } from './match.ts';
import { draftOf, type GroupDraft } from './match-set.ts';
import { Slots, type Slot } from './slots.ts';
import type { Clusters } from './clusters.ts';
import type { Policy, RouteGroup } from './model.ts';
import type { SelectedLabels } from './selected-labels.ts';

/**
 * The Mappings of one identity. What becomes of them is a function of their sequence alone, so it is worked out again only
 * when they are others than in the run before.
 */
export class MatchSet implements Slot {
  readonly text: string;
  run = 0;
  gone = false;
  /** What was made of the draft at the last time. */
  made: MadeGroup | undefined;
  /** Up to `#count` those of this run, behind that what is left of the run before. What a draft was made of stays as it is. */
  #mappings: ReadMapping[] = [];
  #count = 0;
  #draft: GroupDraft | undefined;

  constructor(identity: string) {
    this.text = identity;
  }

  start(): void {
    this.#count = 0;
  }

  add(mapping: ReadMapping): void {
    const at = this.#count++;
    if (this.#mappings[at] === mapping) return;
    if (at === 0 || this.#draft) this.#mappings = this.#mappings.slice(0, at).concat(mapping);
    else this.#mappings[at] = mapping;
    this.#draft = undefined;
  }

  draft(): GroupDraft {
    if (this.#mappings.length > this.#count) {
      this.#mappings = this.#mappings.slice(0, this.#count);
      this.#draft = undefined;
    }
    return (this.#draft ??= draftOf(this.#mappings));
  }
}

const allSets = new WeakMap<EdgeSettings, Slots<MatchSet>>();

function setsOf(settings: EdgeSettings): Slots<MatchSet> {
  const known = allSets.get(settings) ?? new Slots((identity) => new MatchSet(identity));
  allSets.set(settings, known);
  return known;
}

/** All groups of HTTP routes, in the order in which they come to be (ir/irhttpmappinggroup.py, ir/ir.py `add_mapping`). */
export class Groups {
  readonly #compilation: Compilation;
  readonly #context: MappingContext;
  readonly #labels: SelectedLabels;
  readonly #sets: Slots<MatchSet>;
  /** Those of this run. */
  readonly #used: MatchSet[] = [];

  constructor(compilation: Compilation, context: MappingContext, labels: SelectedLabels) {
    this.#compilation = compilation;
    this.#context = context;
    this.#labels = labels;
    this.#sets = setsOf(compilation.settings);
    this.#sets.begin();
  }

  /** Reads all of them before the first one is added, as upstream does: that is when a service can freeze the edge. */
  addAll(policies: readonly Policy[]): void {
    const mappings = policies.map((policy) => this.#read(policy));
    mappings.forEach((mapping) => this.#add(mapping));
  }

  #read(policy: Policy): ReadMapping {
    const mapping = readMapping(policy, this.#context);
    addTo(this.#compilation.errors, mapping.errors);
    addTo(this.#compilation.notices, mapping.notices);
    if (mapping.freeze) throw new Frozen(mapping.freeze);
    return mapping;
  }

  #add(mapping: ReadMapping): void {
    const { policy, problem } = mapping;
    const set = problem === undefined ? this.#setOf(mapping) : undefined;
    if (!set) return this.#compilation.drop(policy, 'invalid', problem ?? 'it has no prefix');
    if (this.#sets.isFirstUse(set)) {
      set.start();
      this.#used.push(set);
    }
    set.add(mapping);
  }

  #setOf({ policy, match, memory }: ReadMapping): MatchSet | undefined {
    if (!match) return undefined;
    // Only what names no host is told apart by the labels that Hosts select.
    const labels = match.host === undefined || match.hostRegex ? this.#labels.identityOf(policy.labels) : '';
    if (memory.set && !memory.set.gone && memory.labels === labels) return memory.set;
    memory.labels = labels;
    return (memory.set = this.#sets.of(identityOf(match, labels)));
  }

  /** Clusters and weights are worked out when all Mappings are in. */
  finish(clusters: Clusters): RouteGroup[] {
    const { errors, drops } = this.#compilation;
    return this.#used.map((set) => {
      const draft = set.draft();
      addTo(errors, draft.errors);
      addTo(drops, draft.drops);
      return finishGroup(set, draft, clusters, this.#compilation, this.#context.module);
    });
  }
}

/** Mostly nothing: then not even the walk over nothing is begun, ten thousand times. */
function addTo<Item>(list: Item[], more: readonly Item[]): void {
  if (more.length > 0) for (const item of more) list.push(item);
}

/** Upstream's group id: SHA-1, hex. */
export function groupId({ identity }: Pick<RouteGroup, 'identity'>): string {
  return hash('sha1', identity);
}
