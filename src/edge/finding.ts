import type { Edge } from './model.ts';
import type { EdgeInput, Origin } from './input.ts';
import type { Guard } from './guard.ts';

/** error: a new one stops the commit. warning: reported. info: told on request. */
export type Severity = 'error' | 'warning' | 'info';

/** What it means for traffic. */
export type Impact =
  | 'freeze' // the whole gateway keeps its old configuration, for everybody
  | 'drop' // the object is dropped
  | 'steal' // requests go elsewhere than declared
  | 'protection-lost' // TLS, authentication, limits or tenancy are weaker than declared
  | 'outage' // requests are refused or fail
  | 'no-effect'; // it does nothing

/** An object as people name it, and where it is written. */
export interface Party {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly origin: Origin;
  /** `Service namespace/name` when it was written in that object's annotation, or made of that Ingress. */
  readonly inside?: string;
  /** Emissary made it of the Ingress: nobody wrote it. */
  readonly isMade?: true;
}

/** The requests that are hit, as far as one can say. */
export interface Traffic {
  readonly host?: string;
  readonly path?: string;
  readonly methods?: readonly string[];
}

/** What a rule sees at one place. The rule's row adds what it means and how to mend it. */
export interface Hit {
  readonly object: Party;
  /** The other party. */
  readonly other?: Party;
  readonly traffic?: Traffic;
  /** One sentence: what is wrong here, with the names and values. */
  readonly message: string;
  /** When it differs from the rule's own. */
  readonly severity?: Severity;
  readonly impact?: Impact;
  /** When there is something better to say here than the rule's own. */
  readonly mend?: string;
  /** What tells two hits of one rule on one object apart (a field, a value); never a position in a file. */
  readonly detail?: string;
  /** How bad it is, where the same trouble can get worse: more of it is new. */
  readonly degree?: number;
  /** The object that is not there: a commit that takes it away from what it declares itself is stopped. */
  readonly missing?: Pick<Party, 'kind' | 'namespace' | 'name'>;
  /** The trouble is the same one when another party takes the place of the other one: `key` leaves it out. */
  readonly otherMayChange?: true;
  /** The object only stands for all of its owner's, and another one may tomorrow: `key` leaves it out, `detail` names the owner. */
  readonly objectMayChange?: true;
  /** It is the sum of what many do: it stops the two parties, and nobody who only adds the last bit. */
  readonly stopsParties?: true;
}

export interface Finding extends Hit {
  readonly rule: string;
  readonly severity: Severity;
  readonly impact: Impact;
  readonly mend: string;
  /** Equal for the same trouble before and after a change: rule, object, other party and detail, never file or line. */
  readonly key: string;
}

/** All that a rule may look at. */
export interface Judged {
  readonly edge: Edge;
  readonly input: EdgeInput;
  readonly guard: Guard;
}

/** One row of the table: docs/reference/findings.md is made of these. */
export interface Rule {
  /** `EM001`. */
  readonly id: string;
  /** `bad-regex`. */
  readonly name: string;
  readonly severity: Severity;
  readonly impact: Impact;
  /** One sentence: when it is found. */
  readonly when: string;
  /** One or two sentences: what it does to traffic and why. */
  readonly means: string;
  /** One sentence: how to mend it. */
  readonly mend: string;
  readonly find: (judged: Judged) => Iterable<Hit>;
}
