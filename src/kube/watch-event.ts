import { KubeError } from './errors.ts';
import { makeSound } from './metadata.ts';
import { hasMetadata, isObject, type KubeObject } from './object.ts';
import type { ApiResource } from './resource.ts';
import { errorFromStatus } from './status.ts';

/** One line of a watch. BOOKMARK's object has nothing but a resourceVersion. ERROR does not reach the handler: it is thrown. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
}

const TYPES = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'] as const;

/** Throws the KubeError of an ERROR event, and ApiUnexpectedAnswer for a line that no API server sends. */
export function eventOf(line: string, resource: ApiResource, path: string): WatchEvent {
  let event: { type?: unknown; object?: unknown } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    throw new KubeError('ApiUnexpectedAnswer', `a line of the watch ${path} is not valid JSON: is a proxy in between?`);
  }
  if (event?.type === 'ERROR') throw errorFromStatus({ status: 0, body: event.object }, `GET ${path}?watch=true`);
  const type = TYPES.find((known) => known === event?.type);
  const object = event?.object;
  // A bookmark has nothing but a version.
  if (type === undefined || !hasMetadata(object) || (type !== 'BOOKMARK' && !isObject(object)))
    throw new KubeError('ApiUnexpectedAnswer', `a line of the watch ${path} is not an event: is a proxy in between?`);
  Object.assign(makeSound(object), { apiVersion: resource.apiVersion, kind: resource.kind });
  return { type, object };
}
