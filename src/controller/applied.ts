// What a source is to declare, beside what was applied of it: by this process, or by the status of one before it. Pure.
import { hash } from 'node:crypto';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Tip } from '../git/remote.ts';
import type { Rendered, Source } from './source.ts';

/** Everything but the tree that the objects depend on. */
export function settingsOf(source: Source, spec: GitOpsSourceSpec): string {
  const { url, path, include, exclude, targetNamespace, commonMetadata, drift } = spec;
  return JSON.stringify([source.key, url, path, include, exclude, targetNamespace, commonMetadata, drift.ignore]);
}

/** Names everything that a revision declares: the same text, the same objects. */
export function wholeOf({ treeId, settings }: Pick<Rendered, 'treeId' | 'settings'>): string {
  return treeId + settings;
}

/** Of the settings that it was rendered with, for the status. */
export function digestOf({ settings }: Pick<Rendered, 'settings'>): string {
  return hash('sha256', settings).slice(0, 16);
}

/** Is this the commit that is enforced now, or was when the process ended? */
export function isOfCommit(source: Source, { commit }: Tip): boolean {
  return enforced(source)?.commit === commit;
}

/** The tip of what is enforced, as far as it is known. */
export function enforced(source: Source): Tip | undefined {
  return source.rendered?.tip ?? lastApplied(source);
}

/** What was let through and is not applied whole yet comes before what was. */
export function lastApplied({ status }: Source): Tip | undefined {
  return tipOf(status.lastReleasedRevision ?? status.lastAppliedRevision);
}

/** What was applied whole last, where something else was let through since. */
export function lastWhole({ status }: Source): Tip | undefined {
  const { lastAppliedRevision, lastReleasedRevision = lastAppliedRevision } = status;
  return lastReleasedRevision === lastAppliedRevision ? undefined : tipOf(lastAppliedRevision);
}

function tipOf(revision: string | undefined): Tip | undefined {
  const commit = revision && /(?:^|@)sha1:([0-9a-f]{40})$/.exec(revision)?.[1];
  return commit ? { commit, revision } : undefined;
}

/** Is there something to apply that was not applied before? What differs otherwise is drift. */
export function declaresNews(source: Source, { treeId, settings, tip }: Rendered): boolean {
  const { appliedKey, status } = source;
  if (appliedKey !== undefined) return appliedKey !== wholeOf({ treeId, settings });
  return status.lastAppliedRevision !== tip.revision || !isMadeAsBefore(source, settings);
}

/** Are these the settings that a process before this one made its objects with? An edit made meanwhile may change none of them. */
export function isMadeAsBefore(source: Source, settings: string): boolean {
  const { appliedSpec, status } = source;
  // An operator of another version may write another digest.
  const isSameSpec = appliedSpec !== undefined && settingsOf(source, appliedSpec) === settings;
  return isSameSpec || status.lastAppliedSettings === digestOf({ settings });
}

/** Is this what is enforced already, or was when the process ended? Other settings make other objects of the same commit. */
export function isEnforced(source: Source, { treeId, settings, tip }: Rendered): boolean {
  const { rendered, appliedKey, status } = source;
  if (rendered) return rendered.treeId === treeId && rendered.settings === settings;
  // Of what was let through and not applied whole, some was not judged: who holds it may have changed, or a right.
  if (appliedKey === null || status.lastAppliedRevision !== tip.revision) return false;
  return isMadeAsBefore(source, settings);
}

/** Has this process applied whole what is enforced, and as the source is now? */
export function isWhole(source: Source, spec: GitOpsSourceSpec): boolean {
  const { rendered, appliedKey } = source;
  return rendered?.settings === settingsOf(source, spec) && appliedKey === wholeOf(rendered);
}

/** Is what is enforced what was applied whole last, by whatever process, and what the source as it is now makes of it? */
export function isAsApplied(source: Source, spec: GitOpsSourceSpec): boolean {
  const { rendered } = source;
  return rendered?.settings === settingsOf(source, spec) && !declaresNews(source, rendered);
}

/** Has a process before this one applied it whole, as the source is now, and this one nothing yet? */
export function isInherited(source: Source, rendered: Rendered): boolean {
  return source.appliedKey === undefined && !declaresNews(source, rendered);
}
