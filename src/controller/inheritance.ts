import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

/** Whoever writes sources in a namespace may write all of them. Between namespaces both sides must agree. */
export function isSameTeam(a: string, b: string): boolean {
  return a.slice(0, a.indexOf('/')) === b.slice(0, b.indexOf('/'));
}

/** The others of its namespace. */
export function teamOf(source: Source, { sources }: Pick<ReconcileDeps, 'sources'>): Source[] {
  return [...sources.values()].filter((other) => other !== source && isSameTeam(other.key, source.key));
}

/**
 * Does the source take what another one (`namespace/name`) lets go as it is, so that it need not be deleted first and made
 * anew? Within a namespace, unless `spec.adoption` is Refuse; otherwise an annotation on the object must say so.
 */
export function inheritsFrom({ key, spec }: Pick<Source, 'key' | 'spec'>, other: string): boolean {
  return spec?.adoption === 'Adopt' && isSameTeam(key, other);
}
