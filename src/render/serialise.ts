import type { KubeObject } from '../kube/object.ts';
import { isMap, type Value } from './node.ts';

/** What is put over an object's own metadata; '' as namespace removes it. */
export interface Overlay {
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Written by the server; sent back they would conflict, or never come back and read as drift. */
const SERVER_METADATA = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'managedFields',
  'selfLink',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);
// TypeScript's library does not list it yet.
const rawJSON = (JSON as JSON & { rawJSON: (this: void, text: string) => unknown }).rawJSON;

/** Twice the most that etcd takes by default. */
const MAX_BODY = 3 * 1024 * 1024;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The JSON to send for an object: fields in the order of the file, int64 exact, without what the server would never give
 * back. `complaint` says what is wrong with the object's content.
 */
export function serialise(object: KubeObject, overlay: Overlay): { body: string; complaint?: string } {
  const out: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(object)) {
    if (field === 'status') continue;
    set(out, field, field === 'metadata' ? metadata(value as Value, overlay) : sendable(value as Value));
  }
  const complaint = isSecret(object) ? encodeStringData(out) : undefined;
  if (complaint !== undefined) return { body: '', complaint };
  if (isSecret(object)) joinLines(out);
  // The control plane fills them in and overwrites whatever is declared.
  if (isAggregated(object)) delete out['rules'];
  const body = JSON.stringify(out);
  if (body.length > MAX_BODY)
    return { body: '', complaint: `the object is larger than ${MAX_BODY} characters of JSON` };
  return { body };
}

function metadata(value: Value, { namespace, labels, annotations }: Overlay): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [field, child] of Object.entries(value ?? {})) {
    if (!SERVER_METADATA.has(field)) set(out, field, sendable(child));
  }
  if (namespace === '') delete out['namespace'];
  else out['namespace'] = namespace;
  out['labels'] = { ...(out['labels'] as object | null), ...labels };
  const merged: Record<string, unknown> = { ...(out['annotations'] as object | null), ...annotations };
  delete merged[LAST_APPLIED];
  out['annotations'] = merged;
  return out;
}

function isSecret({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Secret';
}

function isAggregated({ apiVersion, kind, aggregationRule }: KubeObject): boolean {
  return apiVersion.startsWith('rbac.authorization.k8s.io/') && kind === 'ClusterRole' && isMap(aggregationRule);
}

/** The server reads base64 that was wrapped into lines, and gives it back in one. */
function joinLines(secret: Record<string, unknown>): void {
  const { data } = secret;
  if (!isMap(data)) return;
  const joined = {};
  for (const [key, value] of Object.entries(data))
    set(joined, key, typeof value === 'string' ? value.replace(/[\r\n]/g, '') : value);
  secret['data'] = joined;
}

/** The server folds stringData into data when it writes; doing it here keeps the declared fields equal to the live ones. */
function encodeStringData(secret: Record<string, unknown>): string | undefined {
  const stringData = secret['stringData'];
  delete secret['stringData'];
  if (stringData === undefined || stringData === null) return undefined;
  if (!isMap(stringData)) return 'stringData is not a mapping';
  const data: Record<string, unknown> = {};
  for (const [key, value] of Object.entries((secret['data'] as object | null) ?? {})) set(data, key, value);
  for (const [key, value] of Object.entries(stringData)) {
    if (typeof value !== 'string') return `stringData: the value of ${key} is no text; quote it`;
    set(data, key, Buffer.from(value).toString('base64'));
  }
  secret['data'] = data;
  return undefined;
}

/** The value itself, unless it holds an int64 or an unset timestamp (`creationTimestamp: null` in a pod template). */
function sendable(value: Value): unknown {
  return isSendable(value) ? value : replaced(value);
}

/** Nearly every object is: it is only looked at, and nothing is made. */
function isSendable(value: Value): boolean {
  if (typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSendable);
  for (const key in value) {
    const child = value[key];
    if (child === null ? isTimestamp(key) : !isSendable(child!)) return false;
  }
  return true;
}

function replaced(value: Value): unknown {
  if (typeof value === 'bigint') return rawJSON(String(value));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(replaced);
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    if (child !== null || !isTimestamp(key)) set(out, key, replaced(child));
  }
  return out;
}

function isTimestamp(key: string): boolean {
  return key.endsWith('Timestamp');
}

function set(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
