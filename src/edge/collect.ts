import { Compilation } from './compilation.ts';
import { aboutPolicies } from './facts.ts';
import type { EdgeInput, EdgeObject, EdgeSettings, Origin } from './input.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Policy } from './model.ts';
import { objectsOf } from './objects.ts';
import { expandVariables } from './environment.ts';
import { ingressClasses, namesPorts, portsNamedBy } from './ingress.ts';
import { Relisted } from './relisted.ts';
import { Resorted } from './resorted.ts';
import { Slots, type Slot } from './slots.ts';
import { dependsOnOthers, unfold, type Reading, type Unfolded } from './unfold.ts';

/** The three kinds of resolvers share one set of names; every other kind has its own. */
const RESOLVERS = new Set(['ConsulResolver', 'KubernetesEndpointResolver', 'KubernetesServiceResolver']);

/** What one object brings, before anybody else is looked at. */
interface Candidate {
  readonly policy: Policy;
  readonly ours: boolean;
  /** Why Emissary's watcher refuses it. */
  readonly refused: string | undefined;
  /** Of its bare name. */
  slot: NameSlot | undefined;
}

/** A name among the policies of one storage. */
interface NameSlot extends Slot {
  /** Where the policy of this name lies in this run. */
  at: number;
}

/** The objects that bring policies → the policies of this gateway, sorted and named as the compiler does (fetch/, config/config.py). */
export function collect(input: EdgeInput): Compilation {
  const { ambassadorId } = input.settings;
  const classes = objectsOf(input, 'IngressClass').map(({ object }) => object);
  const services = servicesWithPorts(input);
  const reading = {
    ...input.settings,
    classes: ingressClasses(classes, ambassadorId),
    portNamed: portsNamedBy(services),
  };
  const memory = memoryOf(input.settings);
  const found = memory.found.flatMap(
    input.objects,
    (object) => candidatesOf(object, input.settings, reading, memory),
    services.length === 0 ? classes : [...classes, ...services],
  );
  const policies: Policy[] = [];
  const stored = new Map<string, Policy[]>();
  const compilation = new Compilation(input, policies, stored);
  const store = new Store(memory.names, stored, compilation);
  memory.order.sort(found, byKey).forEach((candidate) => {
    const { policy, ours, refused } = candidate;
    if (!ours) compilation.drop(policy, 'not-ours', `its ambassador_id does not name ${ambassadorId}`);
    else if (refused === undefined) policies.push(store.add(candidate));
    else policies.push(refuse(policy, refused, compilation));
  });
  return compilation;
}

/** The Services that Ingresses may have to be read with; none where no Ingress names a port. */
function servicesWithPorts(input: EdgeInput): readonly KubeObject[] {
  const asks = objectsOf(input, 'Ingress').some(({ object }) => namesPorts(object));
  return asks ? objectsOf(input, 'Service').map(({ object }) => object) : [];
}

/** It is known to the compiler by its error alone. */
function refuse(policy: Policy, reason: string, compilation: Compilation): Policy {
  compilation.error(policy.key, reason);
  compilation.drop(policy, 'invalid', reason);
  return policy;
}

/**
 * `name.namespace.N` as text; of equal ones, what was unfolded goes first: Services are read before Ingresses, which need them,
 * and the snapshot holds both before the rest (fetch/dependency.py).
 */
function byKey(a: Candidate, b: Candidate): number {
  if (a.policy.key !== b.policy.key) return a.policy.key < b.policy.key ? -1 : 1;
  return rank(a.policy) - rank(b.policy);
}

function rank({ parent }: Policy): number {
  return parent === undefined ? 2 : parent.kind === 'Service' ? 0 : 1;
}

/**
 * A policy is stored by its bare name. The second of a name is renamed `name.namespace` when it is of another namespace,
 * and replaces the first, in its place, when it is not.
 */
class Store {
  readonly #names: Map<string, Slots<NameSlot>>;
  readonly #stored: Map<string, Policy[]>;
  readonly #compilation: Compilation;

  constructor(names: Map<string, Slots<NameSlot>>, stored: Map<string, Policy[]>, compilation: Compilation) {
    this.#names = names;
    this.#stored = stored;
    this.#compilation = compilation;
    for (const slots of names.values()) slots.begin();
  }

  add(candidate: Candidate): Policy {
    const { policy } = candidate;
    const storage = storageOf(policy.kind);
    const policies = this.#storedIn(storage);
    const names = this.#namesIn(storage);
    if (!candidate.slot || candidate.slot.gone) candidate.slot = names.of(policy.storedName);
    if (isFirst(names, candidate.slot, policies, policy)) return policy;
    const first = policies[candidate.slot.at]!;
    if (first.namespace === policy.namespace) {
      this.#compilation.error(
        policy.key,
        `<${policy.kind} ${policy.key}> defines ${policy.kind} ${policy.name}, which is already defined by ${first.key}`,
      );
      this.#replace(policies, candidate.slot, policy);
      return policy;
    }
    const named = renamed(policy);
    const slot = names.of(named.storedName);
    if (!isFirst(names, slot, policies, named)) this.#replace(policies, slot, named);
    return named;
  }

  #storedIn(storage: string): Policy[] {
    const policies = this.#stored.get(storage) ?? [];
    if (policies.length === 0) this.#stored.set(storage, policies);
    return policies;
  }

  #namesIn(storage: string): Slots<NameSlot> {
    const known = this.#names.get(storage);
    if (known) return known;
    const names = new Slots(nameSlot);
    names.begin();
    this.#names.set(storage, names);
    return names;
  }

  #replace(policies: Policy[], { at }: NameSlot, policy: Policy): void {
    const message = `${policy.kind} ${policy.namespace}/${policy.name} comes later and replaces it`;
    this.#compilation.drop(policies[at]!, 'replaced', message, policy);
    policies[at] = policy;
  }
}

/** Is it the first of its name? Then it is stored. */
function isFirst(names: Slots<NameSlot>, slot: NameSlot, policies: Policy[], policy: Policy): boolean {
  if (!names.isFirstUse(slot)) return false;
  slot.at = policies.push(policy) - 1;
  return true;
}

/** Where policies of a kind are stored: `Compilation.of` takes the same word. */
function storageOf(kind: string): string {
  return RESOLVERS.has(kind) ? 'Resolver' : kind;
}

// What depends on one object and the settings alone is worked out once for each object: objects outlive compilations.
interface Memory {
  readonly byObject: WeakMap<KubeObject, readonly Candidate[]>;
  readonly found: Relisted<EdgeObject, Candidate>;
  readonly order: Resorted<Candidate>;
  /** By storage. */
  readonly names: Map<string, Slots<NameSlot>>;
}

const memories = new WeakMap<EdgeSettings, Memory>();

function memoryOf(settings: EdgeSettings): Memory {
  const known = memories.get(settings);
  if (known) return known;
  const memory: Memory = {
    byObject: new WeakMap(),
    found: new Relisted(),
    order: new Resorted(),
    names: new Map(),
  };
  memories.set(settings, memory);
  return memory;
}

function nameSlot(text: string): NameSlot {
  return { text, run: 0, gone: false, at: 0 };
}

function candidatesOf(
  { object, origin }: EdgeObject,
  settings: EdgeSettings,
  reading: Reading,
  { byObject }: Memory,
): readonly Candidate[] {
  const before = byObject.get(object);
  if (before && (before.length === 0 || sameOrigin(before[0]!.policy.origin, origin))) return before;
  const candidates = unfold(object, reading).map((unfolded) => candidateOf(unfolded, origin, settings));
  if (!dependsOnOthers(object)) byObject.set(object, candidates);
  return candidates;
}

function candidateOf(unfolded: Unfolded, origin: Origin, { ambassadorId, environment }: EdgeSettings): Candidate {
  const { written, parent, refused, ...texts } = unfolded;
  // Of what is as it was written, nothing is replaced.
  const { kind, name, namespace, labels, spec, key } = expandVariables(texts, environment);
  const policy = {
    kind,
    name,
    namespace,
    labels,
    spec,
    key,
    storedName: name,
    origin,
    written,
    facts: aboutPolicies.none(),
  };
  const whole: Policy = parent ? { ...policy, parent } : policy;
  return { policy: whole, ours: isOurs(whole, ambassadorId), refused, slot: undefined };
}

function sameOrigin(a: Origin, b: Origin): boolean {
  return a === b || (a.source === b.source && a.file === b.file && a.line === b.line);
}

const renamed = aboutPolicies.remembered((policy: Policy): Policy => {
  return { ...policy, storedName: `${policy.name}.${policy.namespace}`, facts: aboutPolicies.none() };
});

/**
 * No `ambassador_id`: for `default`. `[]`, which the watcher leaves out: for nobody. `_automatic_`: for everybody, but only
 * alone.
 */
export function isOurs(policy: Pick<Policy, 'spec'>, ambassadorId: string): boolean {
  const { spec } = policy;
  const written = spec['ambassadorId'] ?? (Object.hasOwn(spec, 'ambassador_id') ? spec['ambassador_id'] : 'default');
  if (!Array.isArray(written)) return written === ambassadorId;
  return written.includes(ambassadorId) || (written.length === 1 && written[0] === '_automatic_');
}
