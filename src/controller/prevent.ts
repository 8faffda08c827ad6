import type { GitOpsSourceSpec } from '../api/source.ts';
import { matchesAny } from '../drift/managers.ts';
import { PlumblineError } from '../errors.ts';
import { groupOf, type KubeObject } from '../kube/object.ts';
import type { Wish } from '../prevent/bindings.ts';
import { audit } from '../report/log.ts';
import { isKept, type Desired } from '../sync/desired.ts';
import { inParallel } from '../concurrency/parallel.ts';
import { orderFor } from './actor.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Prevention, Source } from './source.ts';

const AGAIN_MS = 30_000;
const WIDTH = 16;
/** Each replica of the API server takes up a changed CRD by itself, a moment after it is stored. */
const REDEFINED_MS = 2_000;

/** The policies look at the source itself, so nothing has to be written for it. */
export const SUSPENDED: Prevention = {
  active: false,
  code: 'Suspended',
  message: 'spec.suspend is true: nothing is refused',
};

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
  const { guard, log, wake, options, status } = deps;
  const before = source.prevention;
  const isWanted = spec.drift.mode === 'Prevent';
  const isAllowed = matchesAny(options.preventNamespaces, source.namespace);
  try {
    if (isWanted && isAllowed) await guard.want(wishOf(source, deps), signal);
    else await guard.release(source.key);
    source.prevention = isAllowed ? preventing(options.breakGlassGroups) : notAllowed(source);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ source: source.key, error }, 'the policies that prevent drift cannot be kept up; trying again');
    source.prevention = isAllowed ? failed(error) : notAllowed(source);
    wake(source.key, AGAIN_MS);
  }
  if (!isWanted) source.prevention = null;
  if (before !== source.prevention) status.changed(source);
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

/** Which objects of the source must be named one by one, to be refused or let go. */
function wishOf(source: Source, { claims, live, discovery }: ReconcileDeps): Wish {
  // A scale request does not show who will hold the field: where certain managers may have it, it is healed instead.
  const isShared = source.spec?.drift.ignore?.some(
    ({ paths, managers }) => managers !== undefined && paths.includes('/spec/replicas'),
  );
  const named = (group: string, plural: string, { namespace, name }: Desired['identity']) => ({
    group,
    plural,
    namespace,
    name,
  });
  const left = [...live.of(source.key)].flatMap(({ key, identity, deleting }) => {
    if (deleting || claims.holder(key) === source.key) return [];
    const plural = discovery.cachedPreferred(identity.group, identity.kind)?.plural;
    return plural === undefined ? [] : [named(identity.group, plural, identity)];
  });
  const scaled = [...claims.of(source.key).values()].flatMap((desired) => {
    const { apiVersion, identity, key } = desired;
    const resource = discovery.cached(apiVersion, identity.kind);
    if (isShared || !resource?.hasScale || !isKept(desired) || live.get(key)?.reconcileDisabled) return [];
    const { spec } = JSON.parse(desired.body) as KubeObject & { spec?: { replicas?: unknown } };
    return spec?.replicas === undefined ? [] : [named(resource.group, resource.plural, identity)];
  });
  return { namespace: source.namespace, name: source.name, left, scaled };
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
  deps.clock.after(REDEFINED_MS, () => {
    for (const source of concerned) void reapply(source, { group, plural }, deps, signal);
  });
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
