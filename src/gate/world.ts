import { GROUP, OWNER_ANNOTATION, RECONCILE_ANNOTATION } from '../api/names.ts';
import { CONFIG_ANNOTATION } from '../edge/annotations.ts';
import { EDGE_GROUP, isOfInterest } from '../edge/gather.ts';
import { INGRESS_ANNOTATIONS } from '../edge/ingress.ts';
import { isEdgeCrd, versionsServedBy } from '../edge/served-versions.ts';
import { withinStack } from '../kube/depth.ts';
import { groupOf, identityKey, identityOf, type Identity, type KubeObject } from '../kube/object.ts';
import { Body } from '../render/body.ts';
import type { Desired } from '../sync/desired.ts';
import { provenSource } from '../sync/sighting.ts';
import { isWhole, outcomeOf } from './outcome.ts';

/** What is watched beside Emissary's own kinds; Secrets are read by name, and of the others only what Git declares matters. */
const FOLLOWED_KINDS: ReadonlySet<string> = new Set([
  '/Service',
  'networking.k8s.io/Ingress',
  'networking.k8s.io/IngressClass',
]);

/** What one source has on the edge: the revision that passed the gate, applied or about to be. */
export interface Admission {
  /** Equal for the same objects. */
  readonly id: string;
  /** The one that passed; a later one with the same objects is no other. */
  readonly commit?: string;
  /** Those that matter to the edge, without the ones that another source holds. */
  readonly desired: readonly Desired[];
  /** To be deleted before anything of it is applied. */
  readonly first: readonly Identity[];
  /** It was applied before this process began: what is live and differs from it is drift. */
  readonly isOld?: boolean;
  /** apiVersions of Emissary's group that its CRDs serve. */
  readonly serves?: readonly string[];
}

/**
 * Is shown one object that counts: its identityKey, its JSON, and where it comes from as in `Origin`. Of an object that is shown
 * again the first showing counts. As arguments: of ten thousand objects, asked for at every change, nothing is allocated, and
 * the JSON of those that are known is not even read.
 */
export type Shown = (key: string, body: Body, source?: string, file?: string, line?: number) => void;

/** A live object that no admitted revision declares, or not all of it, or whose declaration is not enforced. */
interface Kept {
  readonly identity: Identity;
  readonly source: string | undefined;
  readonly body: Body;
  /** It says itself that nothing is written to it. */
  readonly isLocked?: boolean;
}

/** Does it matter to the edge, as far as one can tell without reading it? */
export function mattersToEdge({ identity, body }: Pick<Desired, 'identity' | 'body'>): boolean {
  return isOfInterest(identity) || body.text.includes(CONFIG_ANNOTATION);
}

/** apiVersions of Emissary's group that the CRDs among these serve as soon as they are applied. */
export function servedBy(desired: readonly Desired[]): string[] {
  const crds = desired.filter(({ identity }) => isEdgeCrd(identity));
  return crds.flatMap(({ body }) => versionsServedBy(JSON.parse(body.text) as KubeObject));
}

/** Is it a policy, so that there is an edge to judge at all? */
export function isPolicy({ identity, body }: Pick<Desired, 'identity' | 'body'>): boolean {
  return holdsPolicy(identity, body);
}

/**
 * Everything that counts on the edge: what the sources were admitted with, and what is live and declared by none of these:
 * made by hand, by others, by sources that were not read yet, or no longer in Git and not pruned.
 */
export class EdgeWorld {
  readonly #admitted = new Map<string, Admission>();
  /** Of these, the sources that declare policies. */
  readonly #withPolicies = new Set<string>();
  readonly #declarers = new Map<string, { source: string; desired: Desired }>();
  readonly #kept = new Map<string, Kept>();
  /** Declared, and seen to be gone: `isLive` may hear of it later, and nobody would tell us again. */
  readonly #vanished = new Set<string>();
  readonly #isLive: (key: string) => boolean;
  readonly #heals: (source: string) => boolean;
  /** Moves whenever something changes that counts. */
  version = 0;

  /**
   * `isLive`: is this object, which one of the sources declared, in the cluster? `heals`: does the source put back what others
   * change?
   */
  constructor(isLive: (key: string) => boolean, heals: (source: string) => boolean = () => true) {
    this.#isLive = isLive;
    this.#heals = heals;
  }

  /** A watch shows a live object. */
  seen(object: KubeObject): void {
    const identity = identityOf(object);
    const key = identityKey(identity);
    const declarer = this.#declarers.get(key);
    const source = provenSource(object);
    this.#vanished.delete(key);
    // What is nobody's yet is taken over all the same.
    const isLocked = source !== undefined && object.metadata.annotations?.[RECONCILE_ANNOTATION] === 'disabled';
    if (declarer && isWhole(declarer.desired) && !isLocked && this.#heals(declarer.source)) return this.#forget(key);
    const body = new Body(textOf(whatCounts(object)));
    const before = this.#kept.get(key);
    if (before?.body.equals(body) && before.source === source && before.isLocked === isLocked) return;
    this.#kept.set(key, { identity, source, body, isLocked });
    this.version += 1;
  }

  gone(key: string): void {
    if (this.#declarers.has(key)) this.#vanished.add(key);
    this.#forget(key);
  }

  #forget(key: string): void {
    if (this.#kept.delete(key)) this.version += 1;
  }

  /** Of this kind nothing is live but these. */
  listed({ apiVersion, kind }: { apiVersion: string; kind: string }, seen: ReadonlySet<string>): void {
    const group = groupOf(apiVersion);
    const isGone = ({ kind: of, group: within }: Identity, key: string) =>
      of === kind && within === group && !seen.has(key);
    for (const [key, { identity }] of this.#kept) if (isGone(identity, key)) this.gone(key);
    for (const [key, { desired }] of this.#declarers) if (isGone(desired.identity, key)) this.gone(key);
  }

  admission(source: string): Admission | undefined {
    return this.#admitted.get(source);
  }

  /** From here on this is what the source has on the edge; what it had and still is live, stays until it is seen to go. */
  admit(source: string, admission: Admission): void {
    const before = this.#admitted.get(source);
    this.#admitted.set(source, admission);
    if (admission.desired.some(isPolicy)) this.#withPolicies.add(source);
    else this.#withPolicies.delete(source);
    for (const desired of admission.desired) {
      const { key, identity } = desired;
      if (this.#isLeft(source, desired) || (admission.isOld && this.#isDrift(source, key))) continue;
      const live = isWhole(desired) || !isFollowed(identity) ? undefined : this.#liveBody(key);
      if (live === undefined) this.#kept.delete(key);
      else this.#kept.set(key, { identity, source, body: new Body(live) });
    }
    this.#undeclare(source, before);
    for (const desired of admission.desired) this.#declarers.set(desired.key, { source, desired });
    this.#keepWhatStays(source, before);
    const isNothing = admission.desired.length === 0 && (before?.desired.length ?? 0) === 0;
    const isSame = before?.id === admission.id && before.desired.length === admission.desired.length;
    if (!isNothing && !isSame) this.version += 1;
  }

  /** The source is gone. */
  release(source: string): void {
    const before = this.#admitted.get(source);
    if (!this.#admitted.delete(source)) return;
    this.#withPolicies.delete(source);
    this.#undeclare(source, before);
    this.#keepWhatStays(source, before);
    this.version += 1;
  }

  /** Is there one policy at all, of the sources or live? */
  get hasPolicies(): boolean {
    if (this.#withPolicies.size > 0) return true;
    for (const kept of this.#kept.values()) if (holdsPolicy(kept.identity, kept.body)) return true;
    return false;
  }

  /** apiVersions that the CRDs of admitted revisions serve, applied or about to be. */
  get served(): string[] {
    return [...this.#admitted.values()].flatMap(({ serves = [] }) => serves);
  }

  /** Every source that has, or had, anything here. */
  sources(): ReadonlySet<string> {
    const sources = new Set(this.#admitted.keys());
    for (const { source } of this.#kept.values()) if (source !== undefined) sources.add(source);
    return sources;
  }

  /** Does the source have anything here? */
  has(source: string): boolean {
    if ((this.#admitted.get(source)?.desired.length ?? 0) > 0) return true;
    for (const kept of this.#kept.values()) if (kept.source === source) return true;
    return false;
  }

  /** What of the source is live and not in these declarations: it will be pruned, or stay. */
  leftOf(source: string, declared: ReadonlySet<string>): Identity[] {
    const left = new Map<string, Identity>();
    for (const { key, identity } of this.#admitted.get(source)?.desired ?? []) {
      if (!declared.has(key) && isFollowed(identity) && this.#stands(key)) left.set(key, identity);
    }
    for (const [key, { identity, source: owner }] of this.#kept) {
      if (owner === source && !declared.has(key)) left.set(key, identity);
    }
    return [...left.values()];
  }

  /**
   * Shows everything that counts; with `candidates` as if these sources had been admitted with these objects, and without
   * what is `pruned` (identity keys).
   */
  show(
    shown: Shown,
    candidates: ReadonlyMap<string, readonly Desired[]> = new Map(),
    pruned: ReadonlySet<string> = new Set(),
  ): void {
    const showAll = (source: string, desired: readonly Desired[]) => {
      for (const one of desired) shown(one.key, this.#outcomeOf(source, one), source, one.file, one.line);
    };
    // What a candidate takes over from a source that lets it go is the candidate's.
    for (const [source, desired] of candidates) showAll(source, desired);
    for (const [source, { desired }] of this.#admitted) if (!candidates.has(source)) showAll(source, desired);
    for (const source of candidates.keys()) {
      for (const one of this.#admitted.get(source)?.desired ?? []) {
        if (pruned.has(one.key) || !isFollowed(one.identity) || !this.#stands(one.key)) continue;
        shown(one.key, this.#outcomeOf(source, one), source);
      }
    }
    for (const [key, { body, source }] of this.#kept) if (!pruned.has(key)) shown(key, body, source);
  }

  #keepWhatStays(source: string, before: Admission | undefined): void {
    for (const desired of before?.desired ?? []) {
      const { key, identity } = desired;
      if (this.#declarers.has(key)) continue;
      if (isFollowed(identity) && this.#stands(key) && !this.#kept.has(key))
        this.#kept.set(key, { identity, source, body: new Body(outcomeOf(desired, undefined)) });
      this.#vanished.delete(key);
    }
  }

  /** What the cluster will hold of an object once the source has applied it. */
  #outcomeOf(source: string, desired: Desired): Body {
    const { key, body } = desired;
    if (this.#isLeft(source, desired)) return this.#kept.get(key)!.body;
    return isWhole(desired) ? body : new Body(outcomeOf(desired, this.#liveBody(key)));
  }

  /** Is the live object left as it is, whatever is declared? */
  #isLeft(source: string, { key, digest }: Desired): boolean {
    const kept = this.#kept.get(key);
    if (!kept || kept.isLocked) return kept !== undefined;
    const declarer = this.#declarers.get(key);
    // A new declaration is written all the same.
    return declarer?.source === source && declarer.desired.digest === digest && !this.#heals(source);
  }

  /** Of a declaration that is not new: is what is live left, where it differs? */
  #isDrift(source: string, key: string): boolean {
    return this.#kept.get(key)?.source === source && !this.#heals(source);
  }

  /** What the cluster holds of an object, as JSON, as far as it is followed: what was seen, or what was declared and is enforced. */
  #liveBody(key: string): string | undefined {
    const seen = this.#kept.get(key)?.body.text;
    const declarer = this.#declarers.get(key);
    if (seen !== undefined || !declarer || !this.#stands(key)) return seen;
    return outcomeOf(declarer.desired, undefined);
  }

  /** Is a declared object in the cluster, as far as anybody has heard? */
  #stands(key: string): boolean {
    return this.#isLive(key) && !this.#vanished.has(key);
  }

  #undeclare(source: string, before: Admission | undefined): void {
    for (const { key } of before?.desired ?? [])
      if (this.#declarers.get(key)?.source === source) this.#declarers.delete(key);
  }
}

function holdsPolicy({ group }: Identity, body: Body): boolean {
  return group === EDGE_GROUP || body.text.includes(CONFIG_ANNOTATION);
}

function isFollowed({ group, kind }: Identity): boolean {
  return group === EDGE_GROUP || FOLLOWED_KINDS.has(`${group}/${kind}`);
}

/** Without what changes often and means nothing to traffic: managed fields, status, versions. */
function whatCounts({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  const place = { name, ...(namespace !== undefined && { namespace }) };
  if (groupOf(apiVersion) === EDGE_GROUP) {
    const own = Object.entries(annotations ?? {}).filter(
      ([key]) => key.startsWith(`${GROUP}/`) && key !== OWNER_ANNOTATION,
    );
    const said = own.length > 0 && { annotations: Object.fromEntries(own) };
    return { apiVersion, kind, metadata: { ...place, ...(labels && { labels }), ...said }, spec: rest['spec'] };
  }
  const names = [CONFIG_ANNOTATION, ...INGRESS_ANNOTATIONS];
  const read = Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => names.includes(name)));
  const isRead = Object.keys(read).length > 0;
  // An Ingress hands its labels on to what is made of it, by whatever its class is named.
  const handsOn = isRead || kind === 'Ingress';
  const shown = { ...place, ...(isRead && { annotations: read }), ...(handsOn && labels && { labels }) };
  return { apiVersion, kind, metadata: shown, ...(kind !== 'Service' && { spec: rest['spec'] }) };
}

/** Nothing that the edge reads lies as deep. */
const DEEPEST = 64;

/** Of an object that is nested so deeply that JSON.stringify fails over it the surface counts. */
function textOf(object: KubeObject): string {
  return withinStack(object, DEEPEST, (readable) => JSON.stringify(readable));
}
