import type { EdgeInput, EdgeSettings } from './input.ts';
import type { Drop, DropReason, Freeze, Policy, Posted } from './model.ts';

/** Where the compiler's messages go that it can pin on no object. */
export const GLOBAL_KEY = '-global-';

/**
 * Thrown by a stage where the real compiler raises: nothing after it exists. Caught in `compileEdge` alone, which keeps
 * what was reached before.
 */
export class Frozen extends Error {
  readonly freeze: Freeze;

  constructor(freeze: Freeze) {
    super(freeze.message);
    this.freeze = freeze;
  }
}

/** One run of the compiler: the policies by kind, and what is said about them while the stages go by. */
export class Compilation {
  readonly settings: EdgeSettings;
  readonly secret: EdgeInput['secret'];
  /** All policies meant for this gateway, in the compiler's order, the replaced ones included. */
  readonly policies: readonly Policy[];
  readonly errors: Posted[] = [];
  readonly notices: Posted[] = [];
  readonly drops: Drop[] = [];
  readonly #stored: ReadonlyMap<string, readonly Policy[]>;

  /** `stored`: by kind, one for each stored name, in the order in which the names were first seen. */
  constructor(input: EdgeInput, policies: readonly Policy[], stored: ReadonlyMap<string, readonly Policy[]>) {
    this.settings = input.settings;
    this.secret = input.secret;
    this.policies = policies;
    this.#stored = stored;
  }

  /** The policies of a kind that the compiler looks at, in its order. */
  of(kind: string): readonly Policy[] {
    return this.#stored.get(kind) ?? [];
  }

  module(storedName: string): Policy | undefined {
    return this.of('Module').find((policy) => policy.storedName === storedName);
  }

  error(key: string, message: string): void {
    this.errors.push({ key, message });
  }

  notice(key: string, message: string): void {
    this.notices.push({ key, message });
  }

  drop(policy: Policy, reason: DropReason, message: string, by?: Policy): void {
    this.drops.push(by ? { policy, reason, message, by } : { policy, reason, message });
  }
}
