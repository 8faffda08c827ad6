import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import type { AmbassadorModule } from './module.ts';
import type { Policy, RouteGroup, Spec } from './model.ts';
import { isRecord, listAt, textAt, valueAt } from './spec.ts';

/** What a label may be, and the texts without which the compiler cannot write it. */
const SPECIFIERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['source_cluster', []],
  ['destination_cluster', []],
  ['remote_address', []],
  ['generic_key', ['value']],
  ['request_headers', ['key', 'header_name']],
]);

/**
 * What the compiler has to say of the labels that the routes send to a RateLimitService (v3/v3ratelimitaction.py); throws where
 * it cannot read them. The schema of a Mapping lets none through that it stumbles over, but nothing checks the default labels
 * of the Module: a plain text there, as Ambassador 1 had it, is raised at.
 */
export function checkRateLimits(
  groups: readonly RouteGroup[],
  service: Policy,
  module: AmbassadorModule,
  compilation: Compilation,
): void {
  const usual = textAt(module.config, 'default_label_domain') || 'ambassador';
  const domain = textAt(service.spec, 'domain') ?? usual;
  const defaults = listAt(module.config, 'default_labels', domain, 'defaults');
  for (const { redirect, members, shadows } of groups) {
    if (redirect) continue;
    // A group has one set of labels: whoever brings others is not accepted.
    const bringer = [...members, ...shadows].map(({ policy }) => policy).find(hasLabels);
    const labels = bringer
      ? listAt(bringer.spec, 'labels', domain)
      : domain === usual && defaults.length > 0
        ? [{ defaults: [] }]
        : [];
    for (const label of members.length === 0 ? [] : labels) {
      const checked = checkLabel(label, defaults, bringer, module.policy);
      if (checked.freeze) throw new Frozen({ stage: 'envoy', ...checked.freeze });
      for (const error of checked.errors) for (let i = 0; i < members.length; i++) compilation.error(GLOBAL_KEY, error);
    }
  }
}

interface Checked {
  readonly errors: readonly string[];
  readonly freeze: { readonly message: string; readonly policy: Policy | undefined } | undefined;
}

function checkLabel(
  label: unknown,
  defaults: readonly unknown[],
  bringer: Policy | undefined,
  module: Policy | undefined,
): Checked {
  const names = isRecord(label) ? Object.keys(label) : [];
  if (names.length > 1) {
    return { errors: ['Label for RateLimit has multiple entries instead of just one'], freeze: undefined };
  }
  if (names.length === 0) return { errors: [], freeze: raisedAt(bringer) };
  const own = listAt(label, names[0]);
  const errors: string[] = [];
  for (const [specifiers, policy] of [
    [defaults, module],
    [own, bringer],
  ] as const) {
    for (const specifier of specifiers) {
      if (!isRecord(specifier)) return { errors, freeze: raisedAt(policy) };
      const [kind, ...more] = Object.keys(specifier);
      if (kind === undefined || more.length > 0) errors.push('Label for RateLimit has an invalid custom header');
      else if (!SPECIFIERS.has(kind)) errors.push('Label for RateLimit is not valid');
      else if (!isWhole(kind, specifier)) return { errors, freeze: raisedAt(policy) };
    }
  }
  return { errors, freeze: undefined };
}

function isWhole(kind: string, specifier: Spec): boolean {
  return SPECIFIERS.get(kind)!.every((field) => valueAt(specifier, kind, field) !== undefined);
}

function raisedAt(policy: Policy | undefined): Checked['freeze'] {
  const where = policy ? `${policy.kind} ${policy.namespace}/${policy.name}` : 'a Mapping';
  const what = policy?.kind === 'Module' ? 'default_labels holds' : 'labels hold';
  return { message: `${where}: ${what} what is no rate limit label, such as a plain text`, policy };
}

function hasLabels({ spec }: Policy): boolean {
  const labels = spec['labels'];
  return isRecord(labels) && Object.keys(labels).length > 0;
}
