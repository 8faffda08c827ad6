import type { GitOpsSource, GitOpsSourceStatus } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { table } from './terminal.ts';

// How the demo reads and shows the status of a GitOpsSource. Pure.

type Drift = NonNullable<GitOpsSourceStatus['drift']>;
type DriftedObject = Drift['objects'][number];
type Failure = NonNullable<GitOpsSourceStatus['failures']>[number];

export function statusOf(source: KubeObject | undefined): GitOpsSourceStatus | undefined {
  return (source as GitOpsSource | undefined)?.status;
}

export function readyOf(source: KubeObject | undefined): { status: string; reason: string; message: string } {
  const ready = statusOf(source)?.conditions?.find(({ type }) => type === 'Ready');
  return ready ?? { status: 'Unknown', reason: 'NotSeen', message: 'Plumbline has not looked at it yet' };
}

/** Is every object of this commit applied? */
export function hasApplied(source: KubeObject | undefined, sha: string): boolean {
  return readyOf(source).status === 'True' && statusOf(source)?.lastAppliedRevision?.endsWith(sha) === true;
}

/** Was this commit tried, and is it said to be wrong? */
export function hasRejected(source: KubeObject | undefined, sha: string): boolean {
  return readyOf(source).status === 'False' && statusOf(source)?.lastAttemptedRevision?.endsWith(sha) === true;
}

/** `3 Deployment, 2 Mapping`, the most frequent kind first. */
export function kindCounts(source: KubeObject | undefined): string {
  const kinds = (statusOf(source)?.inventory?.kinds ?? []).filter(({ count }) => count > 0);
  return kinds
    .sort((left, right) => right.count - left.count || left.kind.localeCompare(right.kind))
    .map(({ kind, count }) => `${count} ${kind}`)
    .join(', ');
}

export function driftOf(source: KubeObject | undefined, object: KubeObject): DriftedObject | undefined {
  const { kind, metadata } = object;
  const drifted = statusOf(source)?.drift?.objects ?? [];
  return drifted.find(
    (entry) => entry.kind === kind && entry.name === metadata.name && entry.namespace === metadata.namespace,
  );
}

/** One line for each field: which, what Git declares, what it was, who did it, when. */
export function driftReport(entry: DriftedObject): string[] {
  const rows = entry.fields.map(({ path, declared, live, manager, operation, time }) => [
    path,
    declared ?? '(not declared)',
    live ?? '(removed)',
    manager === undefined ? 'unknown' : `${manager}${operation === undefined ? '' : ` (${operation})`}`,
    time?.slice(11, 19) ?? '',
  ]);
  return table([['field', 'declared', 'live', 'by', 'at'], ...rows]);
}

/** Everything that a source says about what is wrong, as lines. */
export function complaints(source: KubeObject | undefined): string[] {
  const failures = (statusOf(source)?.failures ?? []).map(failureLine);
  const said = failures.length > 0 ? failures : readyOf(source).message.split('\n');
  return said.map(shortRevisions);
}

/** Forty digits of a commit would hide the rest of a line. */
export function shortRevisions(text: string): string {
  return text.replace(/@(?:sha1:)?([0-9a-f]{7})[0-9a-f]{33}/g, '@$1');
}

function failureLine({ file, line, kind, namespace, name, message }: Failure): string {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  return `${place}${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}: ${message}`;
}

/** Does a message say where to look: this file, and a line of it? */
export function namesPlace(messages: readonly string[], file: string): boolean {
  return messages.some((message) => {
    const after = message.split(file)[1];
    return after !== undefined && /^(:\d+|.{0,20}line \d+)/.test(after);
  });
}
