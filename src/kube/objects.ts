import type { Answer } from './answer.ts';
import type { Discovery } from './discovery.ts';
import { isNotFound, KubeError } from './errors.ts';
import type { Impersonation } from './impersonation.ts';
import { LineSplitter } from './lines.ts';
import type { KubeObject } from './object.ts';
import { collectionPath, objectPath } from './resource.ts';
import type { ApiResource } from './resource.ts';
import { errorFromStatus } from './status.ts';
import type { Query, RequestOptions, Transport } from './transport.ts';

export interface ReadOptions {
  signal: AbortSignal;
  impersonate?: Impersonation | undefined;
  timeoutMs?: number;
  subresource?: string;
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
  /** See RequestOptions.urgent. */
  urgent?: boolean;
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

/** One line of a watch. BOOKMARK's object has nothing but a resourceVersion. ERROR does not reach the handler: it is thrown. */
export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
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

const PAGE = 500;
const EVENT_LIMIT_BYTES = 8 * 1024 * 1024;
const LIST_ACCEPT = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const OBJECT_ACCEPT = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/**
 * The verbs of the Kubernetes API over any kind. Objects come back as parsed JSON with all their fields; bodies go out as
 * they are. `namespace` is '' for a cluster-scoped kind. Every method throws KubeError, or the reason of its signal.
 */
export class KubeApi {
  readonly transport: Transport;
  readonly discovery: Discovery;

  constructor(transport: Transport, discovery: Discovery) {
    this.transport = transport;
    this.discovery = discovery;
  }

  async get(resource: ApiResource, namespace: string, name: string, options: ReadOptions): Promise<KubeObject> {
    const path = objectPath(resource, namespace, name, options.subresource);
    const answer = await this.transport.request('GET', path, { ...common(resource, 'get', options) });
    return objectOf(answer, path);
  }

  /** Page by page, as of one moment. ApiExpired half-way means: start again from the first page. */
  async *list(resource: ApiResource, options: ListOptions): AsyncGenerator<ListPage, void, undefined> {
    const path = collectionPath(resource, options.namespace);
    let limit = options.limit ?? PAGE;
    let token: string | undefined;
    do {
      let answer: Answer;
      try {
        answer = await this.transport.request('GET', path, {
          ...common(resource, 'list', options),
          query: { ...selectionQuery(options), limit, continue: token },
          ...(options.metadataOnly ? { accept: LIST_ACCEPT } : {}),
        });
      } catch (error) {
        // Objects can be a megabyte each; smaller pages bring the same list.
        if (!(error instanceof KubeError) || error.code !== 'ApiAnswerTooLarge' || limit <= 5) throw error;
        limit = Math.ceil(limit / 10);
        continue;
      }
      const page = listOf(answer, path);
      token = page.metadata?.continue || undefined;
      const items = page.items ?? [];
      for (const item of items) Object.assign(item, { apiVersion: resource.apiVersion, kind: resource.kind });
      yield { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
    } while (token !== undefined);
  }

  /** Resolves when the server ends the watch; throws what an ERROR event says. No retries: see Reflector. */
  async watch(resource: ApiResource, options: WatchOptions): Promise<void> {
    const path = collectionPath(resource, options.namespace);
    const lines = new LineSplitter((line) => options.onEvent(eventOf(line, resource, path)), EVENT_LIMIT_BYTES);
    await this.transport.stream(path, {
      signal: options.signal,
      verb: 'watch',
      resource: resource.plural,
      query: {
        ...selectionQuery(options),
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds,
      },
      ...(options.metadataOnly ? { accept: OBJECT_ACCEPT } : {}),
      ...(options.onOpen ? { onOpen: options.onOpen } : {}),
      onChunk: (chunk) => {
        options.onBytes?.();
        lines.push(chunk);
      },
    });
  }

  /** Server-side apply of a body that is sent byte for byte. Safe to repeat, hence retried. */
  async apply(
    resource: ApiResource,
    namespace: string,
    name: string,
    body: string,
    options: ApplyOptions,
  ): Promise<Written> {
    const query = { ...writeQuery(options), force: options.force ?? false };
    return this.#write('PATCH', objectPath(resource, namespace, name, options.subresource), {
      ...writing(resource, 'apply', options),
      query,
      body,
      contentType: 'application/apply-patch+yaml',
      retry: options.retry ?? true,
    });
  }

  async create(
    resource: ApiResource,
    namespace: string,
    object: object | string,
    options: WriteOptions,
  ): Promise<Written> {
    const body = typeof object === 'string' ? object : JSON.stringify(object);
    if (resource.namespaced && namespace === '') {
      throw new KubeError('InvalidObjectName', `a ${resource.kind} needs a namespace: none is given`);
    }
    return this.#write('POST', collectionPath(resource, namespace), { ...writing(resource, 'create', options), body });
  }

  /** RFC 7386. Put metadata.resourceVersion into the patch to be refused (ApiConflict) when somebody was faster. */
  async mergePatch(
    resource: ApiResource,
    namespace: string,
    name: string,
    patch: object,
    options: WriteOptions,
  ): Promise<Written> {
    return this.#patch(resource, namespace, name, patch, 'application/merge-patch+json', options);
  }

  /** RFC 6902. A `test` on /metadata/resourceVersion guards it. */
  async jsonPatch(
    resource: ApiResource,
    namespace: string,
    name: string,
    operations: readonly object[],
    options: WriteOptions,
  ): Promise<Written> {
    return this.#patch(resource, namespace, name, operations, 'application/json-patch+json', options);
  }

  /** Merge patch of the subresource `status`; the patch is `{status: …}`, with metadata.resourceVersion as a guard if wanted. */
  async patchStatus(
    resource: ApiResource,
    namespace: string,
    name: string,
    patch: object,
    options: WriteOptions,
  ): Promise<Written> {
    return this.mergePatch(resource, namespace, name, patch, { ...options, subresource: 'status' });
  }

  /**
   * The object as it is now when it has to wait for finalizers or dependents; undefined when it is gone, also when it was gone
   * already. Retried only with a uid: without it a second attempt could hit an object of the same name.
   */
  async delete(
    resource: ApiResource,
    namespace: string,
    name: string,
    options: DeleteOptions,
  ): Promise<KubeObject | undefined> {
    const { uid, resourceVersion, propagationPolicy = 'Background', dryRun } = options;
    const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy,
      ...(Object.keys(preconditions).length > 0 ? { preconditions } : {}),
      ...(dryRun ? { dryRun: ['All'] } : {}),
    });
    const path = objectPath(resource, namespace, name);
    try {
      const request = { ...common(resource, 'delete', options), body, ...(uid ? { retry: true } : {}) };
      const answer = await this.transport.request('DELETE', path, request);
      const object = answer.body as KubeObject | undefined;
      return object?.metadata?.deletionTimestamp ? object : undefined;
    } catch (error) {
      // Of a kind that is not served the server says NotFound too, but names no object.
      if (isNotFound(error) && (error as KubeError).object !== undefined) return undefined;
      throw error;
    }
  }

  async #patch(
    resource: ApiResource,
    namespace: string,
    name: string,
    patch: object,
    contentType: string,
    options: WriteOptions,
  ): Promise<Written> {
    return this.#write('PATCH', objectPath(resource, namespace, name, options.subresource), {
      ...writing(resource, 'patch', options),
      body: JSON.stringify(patch),
      contentType,
    });
  }

  async #write(method: 'POST' | 'PATCH', path: string, options: RequestOptions): Promise<Written> {
    const answer = await this.transport.request(method, path, options);
    return { object: objectOf(answer, path), warnings: answer.warnings, created: answer.status === 201 };
  }
}

function common(
  resource: ApiResource,
  verb: string,
  options: Pick<ReadOptions, 'signal' | 'impersonate' | 'timeoutMs'>,
) {
  return {
    signal: options.signal,
    impersonate: options.impersonate,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    verb,
    resource: resource.plural,
  };
}

function writing(resource: ApiResource, verb: string, options: WriteOptions) {
  return {
    ...common(resource, verb, options),
    query: writeQuery(options),
    ...(options.urgent ? { urgent: true } : {}),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  };
}

function writeQuery({ fieldManager, dryRun, fieldValidation = 'Strict' }: WriteOptions): Query {
  return { fieldManager, fieldValidation, dryRun: dryRun ? 'All' : undefined };
}

function selectionQuery({ labelSelector, fieldSelector }: Selection): Query {
  return { labelSelector: labelSelector || undefined, fieldSelector: fieldSelector || undefined };
}

function objectOf({ body }: Answer, path: string): KubeObject {
  if (typeof body === 'object' && body !== null && 'metadata' in body) return body as KubeObject;
  throw new KubeError(
    'ApiUnexpectedAnswer',
    `the answer to ${path} is not a Kubernetes object: is a proxy in between?`,
  );
}

interface RawList {
  metadata?: { resourceVersion?: string; continue?: string };
  items?: KubeObject[] | null;
}

function listOf({ body }: Answer, path: string): RawList {
  if (typeof body === 'object' && body !== null && 'items' in body) return body as RawList;
  throw new KubeError('ApiUnexpectedAnswer', `the answer to ${path} is not a list: is a proxy in between?`);
}

function eventOf(line: string, resource: ApiResource, path: string): WatchEvent {
  let event: { type?: unknown; object?: unknown };
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    throw new KubeError('ApiUnexpectedAnswer', `a line of the watch ${path} is not valid JSON: is a proxy in between?`);
  }
  if (event.type === 'ERROR') throw errorFromStatus({ status: 0, body: event.object }, `GET ${path}?watch=true`);
  const object = event.object as KubeObject;
  Object.assign(object, { apiVersion: resource.apiVersion, kind: resource.kind });
  return { type: event.type as WatchEvent['type'], object };
}
