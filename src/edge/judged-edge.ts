import type { KubeObject } from '../kube/object.ts';
import { compileEdge } from './compile.ts';
import type { Finding, Party } from './finding.ts';
import type { Guard } from './guard.ts';
import type { EdgeInput, EdgeObject } from './input.ts';
import { failureOver, findingsOf, RULE_FAILED, sorted } from './judge.ts';
import type { Edge, Freeze } from './model.ts';
import { describe } from './party.ts';

/** An edge, and everything that is wrong with it. */
export interface JudgedEdge {
  /**
   * With `freeze` where the compiler would fail: the rest of it is what the edge would be without the objects that it fails
   * over, so that nobody can hide what he does behind a failure.
   */
  readonly edge: Edge;
  readonly findings: readonly Finding[];
}

/** Objects that fail only together are looked for one by one, each by some twenty compilations. */
const MAX_SEARCHES = 8;
/** Each costs one compilation more. */
const MAX_FREEZES = 64;

/**
 * What the compiler makes of the objects and what the rules find, whatever stands in them: an object that the compiler fails
 * over, or over which this port of it or a rule does, is named (EM009, EM000) and set aside, and the others are judged without
 * it. Of objects that fail only together, the last one in the input is set aside. Throws only what nobody can be blamed for.
 */
export function judgeEdge(input: EdgeInput, guard: Guard): JudgedEdge {
  const { ignored } = guard;
  if (!ignored.has(RULE_FAILED.id)) return judge(input, guard);
  // A failure must be seen to be set aside, also where nobody wants to hear of it.
  const rules = [...ignored].filter(([rule]) => rule !== RULE_FAILED.id);
  const { edge, findings } = judge(input, { ...guard, ignored: new Map(rules) });
  return { edge, findings: findings.filter(({ rule }) => rule !== RULE_FAILED.id) };
}

function judge(input: EdgeInput, guard: Guard): JudgedEdge {
  const first = attempt(input, guard);
  return isSound(first) ? first : new Judging(input, guard).finish(first);
}

type Attempt = JudgedEdge | { readonly error: unknown };

function attempt(input: EdgeInput, guard: Guard): Attempt {
  try {
    const edge = compileEdge(input);
    return { edge, findings: findingsOf({ edge, input, guard }) };
  } catch (error) {
    return { error };
  }
}

function isSound(result: Attempt): result is JudgedEdge {
  return 'edge' in result && result.edge.freeze === undefined && !isFailed(result);
}

/** Did the port or a rule fail, which the real compiler would not? */
function isFailed(result: Attempt): boolean {
  return !('edge' in result) || result.findings.some(({ rule }) => rule === RULE_FAILED.id);
}

class Judging {
  readonly #input: EdgeInput;
  readonly #guard: Guard;
  readonly #blamed = new Map<string, Finding>();
  #objects: readonly EdgeObject[];
  #frozen: { policies: Edge['policies']; freeze: Freeze } | undefined;

  constructor(input: EdgeInput, guard: Guard) {
    this.#input = input;
    this.#guard = guard;
    this.#objects = input.objects;
  }

  finish(first: Attempt): JudgedEdge {
    let result = isFailed(first) ? this.#withoutThoseThatFailAlone() : first;
    for (let searches = 0; isFailed(result) && searches < MAX_SEARCHES; searches += 1) {
      this.#blameForFailure(this.#lastOfFailing(), result);
      result = this.#attempt();
    }
    for (let freezes = 0; 'edge' in result && result.edge.freeze && freezes < MAX_FREEZES; freezes += 1) {
      const { edge, findings } = result;
      this.#frozen ??= { policies: edge.policies, freeze: result.edge.freeze };
      const culprit = this.#objects.find(({ object }) => object === frozenBy(edge));
      if (!culprit) break;
      for (const one of findings) if (one.impact === 'freeze' && isAbout(one, culprit)) this.#blame(one);
      this.#setAside(culprit);
      result = this.#attempt();
    }
    if (!('edge' in result)) throw result.error;
    return this.#whole(result);
  }

  #whole({ edge, findings }: JudgedEdge): JudgedEdge {
    for (const one of findings) this.#blame(one);
    return { edge: { ...edge, ...this.#frozen }, findings: sorted(this.#blamed.values()) };
  }

  #attempt(objects = this.#objects): Attempt {
    return attempt({ ...this.#input, objects }, this.#guard);
  }

  #withoutThoseThatFailAlone(): Attempt {
    for (const one of this.#objects) {
      const alone = this.#attempt([one]);
      if (isFailed(alone)) this.#blameForFailure(one, alone);
    }
    return this.#attempt();
  }

  /** The last object of the shortest beginning of the list that fails. */
  #lastOfFailing(): EdgeObject {
    let [sound, failing] = [0, this.#objects.length];
    while (failing - sound > 1) {
      const middle = Math.floor((sound + failing) / 2);
      if (isFailed(this.#attempt(this.#objects.slice(0, middle)))) failing = middle;
      else sound = middle;
    }
    return this.#objects[failing - 1]!;
  }

  #blameForFailure(culprit: EdgeObject, failed: Attempt): void {
    const object = partyOf(culprit);
    this.#blame(failureOver(object, `${describe(object)}: ${whatFailed(failed)}`));
    this.#setAside(culprit);
  }

  #blame(finding: Finding): void {
    this.#blamed.set(finding.key, finding);
  }

  #setAside(culprit: EdgeObject): void {
    this.#objects = this.#objects.filter((one) => one !== culprit);
  }
}

function whatFailed(failed: Attempt): string {
  if ('edge' in failed) return failed.findings.find(({ rule }) => rule === RULE_FAILED.id)?.message ?? '';
  const { error } = failed;
  return `what Emissary makes of it could not be worked out: ${error instanceof Error ? error.message : String(error)}`;
}

/** The object that holds the policy that the compiler fails over. */
function frozenBy({ freeze }: Edge): KubeObject | undefined {
  return freeze?.policy?.parent ?? freeze?.policy?.written;
}

function partyOf({ object: { kind, metadata }, origin }: EdgeObject): Party {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name, origin };
}

function isAbout({ object, other }: Finding, culprit: EdgeObject): boolean {
  const name = describe(partyOf(culprit));
  return [object, other].some((party) => party && (party.inside ?? describe(party)) === name);
}
