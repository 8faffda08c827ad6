import { PlumblineError } from '../../src/errors.ts';
import { describeIdentity, identityOf, type KubeObject } from '../../src/kube/object.ts';
import { REQUESTED_AT_ANNOTATION } from '../../src/api/names.ts';
import type { Client, Reference, Seen } from './client.ts';
import { complaints, hasApplied, readyOf, statusOf } from './report.ts';
import type { Files } from './shop.ts';

/** What a step acts on. */
export interface Stage {
  client: Client;
  signal: AbortSignal;
  /** How long to wait for a commit to be applied, and for an edit to be healed. */
  patience: { syncMs: number; healMs: number };
  /** The sources, as they are applied, and the Namespaces that they stand in. */
  sources: readonly KubeObject[];
  /** The tip of the config repository. */
  tip(): { sha: string; files: Files };
  /** A commit that changes these files (null removes), really pushed. `at` is when git said that it is done. */
  push(change: Record<string, string | null>, message: string): Promise<{ sha: string; at: number }>;
}

/** What a step saw. It throws when it saw something else. */
export interface Outcome {
  said: string;
  /** From the act to its effect. */
  ms?: number;
  report?: readonly string[];
}

export interface Step {
  title: string;
  play(stage: Stage): Promise<Outcome>;
}

/** Far above what it needs, so that a slow machine fails nothing. */
export const PATIENCE: Stage['patience'] = { syncMs: 60_000, healMs: 30_000 };
/** Under which name the demo writes what a person would apply with kubectl. */
export const DEMO_MANAGER = 'plumbline-demo';

/** Waits until every object of the commit is applied. */
export function untilApplied(stage: Stage, source: Reference, sha: string): Promise<Seen> {
  return untilSource(stage, source, `to apply commit ${sha.slice(0, 7)}`, (object) => hasApplied(object, sha));
}

/** Waits until a source looks right; the error holds what the source said last. */
export async function untilSource(
  { client, signal, patience }: Stage,
  source: Reference,
  to: string,
  right: (object: KubeObject | undefined) => boolean,
): Promise<Seen> {
  const what = `${describeIdentity(identityOf(source))} ${to}`;
  try {
    return await client.waitFor(source, right, { what, timeoutMs: patience.syncMs, signal });
  } catch (error) {
    if (!(error instanceof PlumblineError)) throw error;
    const object = await client.get(source, signal);
    const attempted = statusOf(object)?.lastAttemptedRevision ?? 'nothing yet';
    const said = `it attempted ${attempted} and says ${readyOf(object).reason}: ${complaints(object).join(' | ')}`;
    throw new PlumblineError('DemoStep', `${error.message}; ${said}`, { cause: error });
  }
}

/** What a webhook of the Git server would do: asks the source to look now instead of at its next interval. */
export async function request({ client, signal }: Stage, source: Reference): Promise<void> {
  const annotations = { [REQUESTED_AT_ANNOTATION]: new Date().toISOString() };
  await client.edit(source, { metadata: { annotations } }, DEMO_MANAGER, signal);
}

/** A step's own check: `otherwise` says what was seen instead. */
export function expect(claim: boolean, otherwise: string): asserts claim {
  if (!claim) throw new PlumblineError('DemoStep', otherwise);
}
