import { FIELD_MANAGER, GROUP } from '../api/names.ts';

/** On our policies, bindings and guards; its value is the namespace that the operator is limited to, or `all`. */
export const PREVENT_LABEL = `${GROUP}/prevent`;
/** The names of both policies; an operator that is limited to one namespace has its own, with that namespace behind it. */
export const POLICY = `${FIELD_MANAGER}-prevent`;
export const SCALE_POLICY = `${FIELD_MANAGER}-prevent-scale`;
/** Behind the name of a binding: it is to what lives in no namespace. */
export const CLUSTER_SUFFIX = '-cluster';

export function scopedName(name: string, watchNamespace: string): string {
  return watchNamespace === '' ? name : `${name}.${watchNamespace}`;
}

export function labels(watchNamespace: string): Record<string, string> {
  return { [PREVENT_LABEL]: watchNamespace || 'all', 'app.kubernetes.io/part-of': 'plumbline' };
}
