import type { GitOpsSourceSpec } from '../api/source.ts';
import type { FieldPath } from '../drift/fields.ts';
import { ignoredFor } from '../drift/ignore.ts';
import { resolveDeclared } from '../drift/lookup.ts';
import { matchesAny } from '../drift/managers.ts';
import { reach } from '../drift/surrender.ts';
import { PlumblineError } from '../errors.ts';
import { serviceAccountUser } from '../kube/impersonation.ts';
import { groupOf, type KubeObject } from '../kube/object.ts';
import { expressionFor } from '../prevent/policy.ts';
import type { Wish } from '../prevent/shares.ts';
import { audit } from '../report/log.ts';
import { isKept, type Desired } from '../sync/desired.ts';
import { inParallel } from '../concurrency/parallel.ts';
import { orderFor, serviceAccountOf } from './actor.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Prevention, Source } from './source.ts';

const AGAIN_MS = 30_000;
const WIDTH = 16;
/** Each replica of the API server takes up a changed CRD by itself, a moment after it is stored. */
const REDEFINED_MS = 2_000;

export const SUSPENDED: Prevention = {
  active: false,
  code: 'Suspended',
  message: 'spec.suspend is true: nothing is refused',
};

/**
 * First in a run, before anything of it can fail: what the source no longer asks for is let go, and another account is known
 * before it writes for the first time. Never fails a run.
 */
export async function loosen(source: Source, deps: ReconcileDeps): Promise<void> {
  const { guard, log, wake, options } = deps;
  const { spec } = source;
  try {
    if (spec && isGuarded(source, spec, deps)) await guard.writesAs(source.key, userOf(source, spec, options));
    else await guard.release(source.key);
  } catch (error) {
    log.warn({ source: source.key, error }, 'what prevents drift cannot be loosened; trying again');
    wake(source.key, AGAIN_MS);
  }
}

/**
 * Has the API server refuse drift when the source asks for it and the platform allows it. Never fails a run: drift is healed
 * in any case, and the condition DriftPrevented says why it is not prevented.
 */
export async function prevent(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { guard, log, wake, options } = deps;
  let after: Prevention | null = spec.drift.mode === 'Prevent' ? notAllowed(source) : null;
  if (isGuarded(source, spec, deps)) {
    try {
      await guard.want(await wishOf(source, spec, deps, signal), signal);
      after = preventing(options.breakGlassGroups);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ source: source.key, error }, 'what prevents drift cannot be kept up; trying again');
      after = failed(error);
      wake(source.key, AGAIN_MS);
    }
  }
  source.prevention = after;
}

function isGuarded(source: Source, spec: GitOpsSourceSpec, { options }: ReconcileDeps): boolean {
  if (source.deleting || spec.suspend || spec.drift.mode !== 'Prevent') return false;
  return matchesAny(options.preventNamespaces, source.namespace);
}

function preventing(groups: readonly string[]): Prevention {
  const who = groups.length > 0 ? `; who is in the group ${groups.join(' or ')} passes, and is reported` : '';
  return {
    active: true,
    code: 'Preventing',
    message: `the API server refuses changes of declared fields by others${who}`,
  };
}

function notAllowed({ namespace }: Source): Prevention {
  const message = `the platform does not allow Prevent for sources of ${namespace} (flag --prevent-namespaces of the operator); drift is healed instead`;
  return { active: false, code: 'PreventNotAllowed', message };
}

function failed(error: unknown): Prevention {
  const [code, message] = error instanceof PlumblineError ? [error.code, error.message] : ['Unexpected', String(error)];
  return { active: false, code, message: `${message}; drift is healed meanwhile` };
}

/** The user whose writes are those of the source; '' for the operator itself. */
function userOf(source: Source, spec: GitOpsSourceSpec, options: ReconcileDeps['options']): string {
  const account = serviceAccountOf(source, spec, options);
  return account === undefined ? '' : serviceAccountUser({ namespace: source.namespace, name: account });
}

/**
 * What the source declares and holds: an object that is not there yet, or proves to be somebody else's, is not its to guard,
 * or whoever may push could write into the guards of namespaces in which the source may do nothing.
 */
async function wishOf(
  source: Source,
  spec: GitOpsSourceSpec,
  { claims, live, discovery, options, guard }: ReconcileDeps,
  signal: AbortSignal,
): Promise<Wish> {
  const managers = [...new Set(spec.drift.ignore?.flatMap((rule) => rule.managers ?? []))];
  const declared = [...claims.of(source.key).values()].map((desired) => ({
    desired,
    resource: discovery.cached(desired.apiVersion, desired.identity.kind),
  }));
  const scaled = new Set(declared.flatMap(({ resource }) => (resource?.hasScale ? [resource] : [])));
  const paths = new Map(
    await Promise.all([...scaled].map(async (resource) => [resource, await guard.scaledBy(resource, signal)] as const)),
  );
  const objects = declared.flatMap(({ desired, resource }) => {
    const { identity, key } = desired;
    const held = live.get(key);
    if (!resource || held?.source !== source.key) return [];
    const path = isKept(desired) && !held.reconcileDisabled ? paths.get(resource) : undefined;
    const { namespace, name } = identity;
    const { group, plural } = resource;
    return { group, plural, namespace, name, isScaled: path !== undefined && keepsField(path, desired, spec) };
  });
  const expressions = managers.map(expressionFor);
  const by = {
    account: userOf(source, spec, options),
    git: whereOf(spec),
    ...(managers.length > 0 && { managers: expressions }),
  };
  return { source: source.key, by, objects };
}

/**
 * A scale request does not show who will hold the field: where `drift.ignore` leaves it to certain managers, it is healed
 * instead.
 */
function keepsField(
  path: FieldPath,
  { body, identity }: Desired,
  { drift: { ignore = [] } }: GitOpsSourceSpec,
): boolean {
  const object = JSON.parse(body.text) as KubeObject;
  if (resolveDeclared(object, path) === undefined) return false;
  const { concessions } = ignoredFor(identity, object.metadata.labels ?? {}, ignore);
  return concessions.every((concession) => reach(concession, object, path) === 'none');
}

/** Where in Git a person changes what is declared. */
function whereOf({ url, ref, path }: GitOpsSourceSpec): string {
  const [kind, name] = Object.entries(ref ?? { branch: 'main' })[0]!;
  return [url, `${kind} ${name}`, ...(path === '' ? [] : [`path ${path}`])].join(', ');
}

/**
 * A CRD (`plural.group`) has another content. Should one of its list types have changed, our entry in managedFields is written
 * anew with the next write of each object: we do it at once, so that nobody is refused for it.
 */
export function reapplyLater(crd: string, deps: ReconcileDeps, signal: AbortSignal): void {
  const dot = crd.indexOf('.');
  const [plural, group] = [crd.slice(0, dot), crd.slice(dot + 1)];
  const concerned = [...deps.sources.values()].filter(
    ({ prevention, key }) =>
      prevention?.active && [...deps.claims.of(key).values()].some(({ apiVersion }) => groupOf(apiVersion) === group),
  );
  if (concerned.length === 0) return;
  deps.clock.after(REDEFINED_MS, () => void lookAgain(concerned, { group, plural }, deps, signal));
}

async function lookAgain(
  sources: readonly Source[],
  crd: { group: string; plural: string },
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { discovery, log, wake } = deps;
  await discovery.refresh(signal).catch((error: unknown) => {
    if (!signal.aborted) log.warn({ error }, 'the API server cannot be asked for its kinds');
  });
  for (const source of sources) {
    // With a version that is not served any more goes our entry in managedFields, by anybody's next write: what is declared in
    // it must leave the guard, or nobody could write the object. And another field may be the one that is scaled.
    wake(source.key);
    void reapply(source, crd, deps, signal);
  }
}

async function reapply(
  source: Source,
  { group, plural }: { group: string; plural: string },
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { claims, discovery, live, writer, log, metrics, healer } = deps;
  const { spec } = source;
  if (!spec || spec.suspend || signal.aborted) return;
  const objects = [...claims.of(source.key).values()].filter(
    (desired) =>
      desired.identity.group === group &&
      discovery.cached(desired.apiVersion, desired.identity.kind)?.plural === plural &&
      isKept(desired) &&
      live.get(desired.key)?.reconcileDisabled === false,
  );
  await inParallel(objects, WIDTH, async (desired) => {
    try {
      const { object } = await writer.apply(orderFor(source, spec, deps), desired, { signal });
      metrics.wrote('configured');
      audit(log, { source: source.key, object: desired.identity, action: 'configured' });
      if (object) healer.noteAnswer(source.key, desired, object);
    } catch (error) {
      if (!signal.aborted) log.warn({ source: source.key, error, object: desired.identity }, 'could not apply again');
    }
  });
}
