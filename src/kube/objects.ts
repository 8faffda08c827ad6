import type { Answer } from './answer.ts';
import { yamlSafe } from './apply-body.ts';
import { common, selectionQuery, writeQuery, writing } from './calls.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  ListPage,
  ReadOptions,
  WatchOptions,
  WriteOptions,
  Written,
} from './calls.ts';
import type { Discovery } from './discovery.ts';
import { isAnswerTooLarge, isGone, KubeError } from './errors.ts';
import { LineSplitter } from './lines.ts';
import { makeSound } from './metadata.ts';
import { hasMetadata, isObject, type KubeObject } from './object.ts';
import { collectionPath, objectPath } from './resource.ts';
import type { ApiResource } from './resource.ts';
import type { RequestOptions, Transport } from './transport.ts';
import { eventOf } from './watch-event.ts';

const PAGE = 500;
const MIN_PAGE = 5;
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
    const answer = await this.transport.request('GET', path, {
      ...common(resource, 'get', options),
      ...(options.metadataOnly ? { accept: OBJECT_ACCEPT } : {}),
    });
    return objectOf(answer, path);
  }

  /** Page by page, as of one moment. ApiExpired half-way means: start again from the first page. */
  async *list(resource: ApiResource, options: ListOptions): AsyncGenerator<ListPage, void, undefined> {
    const path = collectionPath(resource, options.namespace);
    let limit = options.limit ?? PAGE;
    let token: string | undefined;
    for (;;) {
      let page: RawList;
      try {
        const query = { ...selectionQuery(options), limit, continue: token };
        const accept = options.metadataOnly ? { accept: LIST_ACCEPT } : {};
        const request = { ...common(resource, 'list', options), query, ...accept };
        page = listOf(await this.transport.request('GET', path, request), path);
      } catch (error) {
        // Objects can be a megabyte each; smaller pages bring the same list.
        if (!isAnswerTooLarge(error) || limit <= MIN_PAGE) throw error;
        limit = Math.ceil(limit / 10);
        continue;
      }
      const items = page.items ?? [];
      for (const item of items)
        Object.assign(makeSound(item), { apiVersion: resource.apiVersion, kind: resource.kind });
      yield { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
      token = page.metadata?.continue;
      if (!token) return;
    }
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

  /** Server-side apply of a JSON body that is sent as it is (but see yamlSafe). Safe to repeat, hence retried. */
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
      body: yamlSafe(body),
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
      // The object or, where it is gone, a Status, which has metadata as well; a login page deletes nothing.
      const object = objectOf(await this.transport.request('DELETE', path, request), path);
      return object.metadata.deletionTimestamp ? object : undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
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

function objectOf({ body }: Answer, path: string): KubeObject {
  if (hasMetadata(body)) return makeSound(body);
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
  const { items } = (body ?? {}) as { items?: unknown };
  if (items === null || (Array.isArray(items) && items.every(isObject))) return body as RawList;
  throw new KubeError('ApiUnexpectedAnswer', `the answer to ${path} is not a list: is a proxy in between?`);
}
