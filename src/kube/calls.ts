import type { Impersonation } from './impersonation.ts';
import type { KubeObject } from './object.ts';
import type { ApiResource } from './resource.ts';
import type { Query } from './transport.ts';
import type { WatchEvent } from './watch-event.ts';

export interface ReadOptions {
  signal: AbortSignal;
  impersonate?: Impersonation | undefined;
  timeoutMs?: number;
  subresource?: string;
  /** The server sends metadata only; for `get`. */
  metadataOnly?: boolean;
  /** See RequestOptions.urgent. */
  urgent?: boolean;
}

export interface Selection {
  /** '' or unset: of the whole cluster. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** The server sends metadata only: half the bytes. */
  metadataOnly?: boolean;
}

export interface ListOptions extends Selection {
  signal: AbortSignal;
  impersonate?: Impersonation | undefined;
  /** Objects for each page; default 500. */
  limit?: number;
  /** See RequestOptions.retry. */
  retry?: boolean;
}

export interface ListPage {
  /** As the server sent them; apiVersion and kind are filled in, which a list leaves out. */
  items: KubeObject[];
  /** Of the whole list, the same on every page. */
  resourceVersion: string;
}

export interface WriteOptions extends ReadOptions {
  fieldManager?: string;
  dryRun?: boolean;
  /** Default Strict: unknown and duplicate fields are refused. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  /** See RequestOptions.retry. */
  retry?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  fieldManager: string;
  /** Take fields that other managers own. */
  force?: boolean;
}

export interface DeleteOptions extends ReadOptions {
  /** Only if the object still is this one, and unchanged: otherwise ApiConflict. */
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  dryRun?: boolean;
}

export interface Written {
  object: KubeObject;
  warnings: string[];
  /** The object did not exist before. */
  created: boolean;
}

export interface WatchOptions extends Selection {
  signal: AbortSignal;
  resourceVersion: string;
  timeoutSeconds: number;
  /** The server accepted the watch. */
  onOpen?: () => void;
  /** The connection gave a sign of life, maybe half an event. */
  onBytes?: () => void;
  /** Called in the tick in which the event arrives; must not throw. */
  onEvent: (event: WatchEvent) => void;
}

/** What every request of a verb says to the transport. */
export function common(
  resource: ApiResource,
  verb: string,
  options: Pick<WriteOptions, 'signal' | 'impersonate' | 'timeoutMs' | 'retry' | 'urgent'>,
) {
  return {
    signal: options.signal,
    impersonate: options.impersonate,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
    ...(options.urgent ? { urgent: true } : {}),
    verb,
    resource: resource.plural,
  };
}

export function writing(resource: ApiResource, verb: string, options: WriteOptions) {
  return { ...common(resource, verb, options), query: writeQuery(options) };
}

export function writeQuery({ fieldManager, dryRun, fieldValidation = 'Strict' }: WriteOptions): Query {
  return { fieldManager, fieldValidation, dryRun: dryRun ? 'All' : undefined };
}

export function selectionQuery({ labelSelector, fieldSelector }: Selection): Query {
  return { labelSelector: labelSelector || undefined, fieldSelector: fieldSelector || undefined };
}
