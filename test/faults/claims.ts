// What the status of a source says that is not so; everything is quiet, and each source stands as it must. Pure.
import type { GitOpsSource } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { STATUS_LIMITS } from '../../src/api/status-limits.ts';
import { ADDITIONS, type Lag, type Standing } from './steps.ts';
import { hasAddition, KINDS, OBJECT_KINDS, type Declared, type Key, type SourceName } from './declared.ts';
import type { Sight, Wanted } from './difference.ts';

type Facts = [what: string, is: unknown, should: unknown][];

/** One line for each thing that the source says, or fails to say. */
export function falseClaims(name: SourceName, sight: Sight, wanted: Wanted): string[] {
  const source = sight.sources.get(name);
  if (!source?.status) return [`the source ${name} has no status`];
  const standing = wanted.standings[name];
  const facts: Facts = [
    ...conditions(source, sight, standing),
    ...revisions(name, source, wanted),
    ['observedGeneration', source.status.observedGeneration, source.metadata.generation],
    ['drift.count', source.status.drift?.count, 0],
    ['drift.foreign', foreignOf(source, sight), listed(reported(sight, standing))],
    ['failures', source.status.failures?.length, undefined],
    ['inventory', counted(source), own(standing)],
    ['in a DriftGuard', sight.guarded.has(name), standing.mode === 'Prevent'],
  ];
  return facts
    .filter(([, is, should]) => is !== should)
    .map(([what, is, should]) => `${name}: ${what} is ${String(is)}, not ${String(should)}`);
}

function conditions(source: GitOpsSource, sight: Sight, standing: Standing): Facts {
  const said = saidBy(source);
  const lag = toldLag(source, standing);
  const isBlocked = lag === 'EdgeBlocked';
  const isUnattempted = lag === 'DependencyNotReady';
  const waits = isBlocked || isUnattempted ? 'True ProgressingWithRetry' : lag && `True ${lag}`;
  // Services and Secrets alone may be told as sound, or not be told.
  const sound = 'True EdgeSound';
  const hasRoutes = [...standing.live.keys()].some((key) => key.startsWith('mappings/'));
  const edge = said['EdgeHealthy'] ?? (hasRoutes ? undefined : sound);
  return [
    ['Ready', said['Ready'], isBlocked || isUnattempted ? `False ${lag}` : 'True ReconciliationSucceeded'],
    ['Reconciling', said['Reconciling'], waits],
    ['Stalled', said['Stalled'], undefined],
    ['Drifted', said['Drifted'], drifted(sight, standing, said['Drifted'])],
    ['DriftPrevented', said['DriftPrevented'], standing.mode === 'Prevent' ? 'True Preventing' : undefined],
    ['Healthy', said['Healthy'], 'True Healthy'],
    // What it tried last may have been stopped, whatever it waits for now.
    ['EdgeHealthy', isUnattempted ? sound : edge, isBlocked ? 'False EdgeBlocked' : sound],
  ];
}

function saidBy({ status }: GitOpsSource): Record<string, string> {
  return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, `${one.status} ${one.reason}`]));
}

/** What it must say that keeps it from applying its newest commit. */
function toldLag(source: GitOpsSource, { lag, ownLag, mayBeUnaware }: Standing): Lag | undefined {
  return mayBeUnaware && saidBy(source)['Ready'] !== 'False DependencyNotReady' ? ownLag : lag;
}

function revisions(name: SourceName, source: GitOpsSource, { standings, tips, declaredBy }: Wanted): Facts {
  const { live } = standings[name];
  const { status } = source;
  const lag = toldLag(source, standings[name]);
  const applied = status?.lastAppliedRevision?.slice(-40);
  const isHeld = lag === 'WaitingForApproval' || lag === 'WaitingForWindow';
  const tried: Facts = [
    ['lastAttemptedRevision', status?.lastAttemptedRevision?.slice(-40), tips[name]],
    ['pending', status?.pending?.revision.slice(-40), isHeld ? tips[name] : undefined],
  ];
  return [
    // One that waits for another source says what it tried before.
    ...(lag === 'DependencyNotReady' || standings[name].mayBeUnaware ? [] : tried),
    lag === undefined
      ? ['lastAppliedRevision', applied, tips[name]]
      : ['what lastAppliedRevision declares', sum(applied && declaredBy(applied, name)), sum(live)],
  ];
}

function sum(declared: Declared | '' | undefined): string {
  return declared ? [...declared].map(String).sort().join(' ') : 'unknown';
}

function drifted(sight: Sight, standing: Standing, said: string | undefined): string {
  const may = ['False ForeignFields', 'False InSync'];
  const isAny =
    standing.foreignFields === 'Report' && [...standing.live.keys()].some((key) => isUnknown(sight.objects.get(key)));
  if (reported(sight, standing).length > 0) return may[0]!;
  return isAny && may.includes(said ?? '') ? said! : may[1]!;
}

/** What must be told as foreign fields. */
function reported({ objects }: Sight, { foreignFields, live }: Standing): Key[] {
  if (foreignFields !== 'Report') return [];
  return [...live.keys()].filter((key) => {
    const object = objects.get(key);
    return object && !isUnknown(object) && ADDITIONS.some((what) => hasAddition(key, object, what));
  });
}

/** Its managedFields were cleared, so nobody knows which fields others added, and which are defaults of the server. */
export function isUnknown(object: KubeObject | undefined): boolean {
  return (object?.metadata.managedFields ?? []).some(({ manager }) => manager === 'before-first-apply');
}

function foreignOf({ status }: GitOpsSource, sight: Sight): string {
  const { count = 0, objects = [] } = status?.drift?.foreign ?? {};
  const pluralOf = (kind: string) => KINDS.find((plural) => OBJECT_KINDS[plural].kind === kind)!;
  const told = objects.map(({ kind, name }): Key => `${pluralOf(kind)}/${name}`);
  const known = told.filter((key) => !isUnknown(sight.objects.get(key)));
  return listed(known, count - (told.length - known.length));
}

/** The status names only the first ones. */
function listed(keys: readonly string[], count = keys.length): string {
  return count > STATUS_LIMITS.foreignObjects ? `${count} objects` : `${count}: ${keys.toSorted().join(' ')}`;
}

function counted({ status }: GitOpsSource): string {
  const countOf = (kind: string) => status?.inventory?.kinds.find((one) => one.kind === kind)?.count ?? 0;
  return KINDS.map((kind) => `${kind} ${countOf(OBJECT_KINDS[kind].kind)}`).join();
}

function own({ live, left }: Standing): string {
  const keys = [...live.keys(), ...left];
  return KINDS.map((kind) => `${kind} ${keys.filter((key) => key.startsWith(`${kind}/`)).length}`).join();
}
