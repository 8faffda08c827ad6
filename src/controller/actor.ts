import { PlumblineError } from '../errors.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { isGone } from '../kube/errors.ts';
import { serviceAccountUser } from '../kube/impersonation.ts';
import type { Actor } from '../sync/actor.ts';
import type { ControllerOptions, ReconcileDeps } from './deps.ts';
import { inheritsFrom } from './inheritance.ts';
import type { Source } from './source.ts';

/**
 * The ServiceAccount that a source writes as; undefined for the operator itself. There is no fallback: a source outside the
 * operator's namespace always acts as somebody else.
 */
export function serviceAccountOf(
  source: Source,
  spec: GitOpsSourceSpec,
  options: ControllerOptions,
): string | undefined {
  if (spec.serviceAccountName !== undefined) return spec.serviceAccountName;
  return source.namespace === options.operatorNamespace ? undefined : options.defaultServiceAccount;
}

/** Who writes for this source, without asking whether the account exists. */
export function orderFor(
  source: Source,
  spec: GitOpsSourceSpec,
  { options, sources }: Pick<ReconcileDeps, 'options' | 'sources'>,
): Actor {
  const account = serviceAccountOf(source, spec, options);
  return {
    source: source.key,
    ...(account !== undefined && {
      impersonate: { username: serviceAccountUser({ namespace: source.namespace, name: account }) },
    }),
    adoption: spec.adoption,
    force: spec.force,
    ...(spec.drift.foreignFields === 'Remove' && spec.drift.mode !== 'Report' && { removes: spec.drift }),
    sourceExists: (key) => sources.has(key),
    inheritsFrom: (key) => inheritsFrom(source, key) && sources.get(key)?.rendered !== undefined,
  };
}

/** As `orderFor`; with `check` a missing account is an error that shows how to create it. */
export async function actorFor(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  signal: AbortSignal,
  { check }: { check: boolean },
): Promise<Actor> {
  const actor = orderFor(source, spec, deps);
  const account = serviceAccountOf(source, spec, deps.options);
  if (!check || account === undefined) return actor;
  const { api, discovery } = deps;
  const resource = await discovery.resource('v1', 'ServiceAccount', signal);
  try {
    if (resource) await api.get(resource, source.namespace, account, { metadataOnly: true, signal });
    return actor;
  } catch (error) {
    if (!isGone(error)) throw error;
    throw new PlumblineError('ServiceAccountMissing', missingAccount(source.namespace, account), { cause: error });
  }
}

function missingAccount(namespace: string, account: string): string {
  // On one line, as conditions and events show it, and still one to be copied.
  const commands = [
    `kubectl create serviceaccount ${account} -n ${namespace}`,
    `kubectl create rolebinding ${account}-edit -n ${namespace} --clusterrole=edit --serviceaccount=${namespace}:${account}`,
  ];
  return `the ServiceAccount ${account} that would write the objects of this source does not exist; create it with the rights it needs, for instance: ${commands.join(' && ')}`;
}
