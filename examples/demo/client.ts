import { Agent, request, type RequestOptions } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { KubeConfig } from '@kubernetes/client-node';
import { PlumblineError } from '../../src/errors.ts';
import { describeIdentity, groupOf, identityOf, type KubeObject } from '../../src/kube/object.ts';

// The demo's own view of the cluster, kept apart from src/kube: what the demo says about Plumbline is not measured with
// Plumbline's code.

/** Names one object the way kubectl would. */
export interface Reference {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  /** Of the body; JSON when unset. */
  contentType?: string;
  signal: AbortSignal;
}

/** What the server said, and when (performance.now()) its answer was complete. */
export interface Answer<T> {
  status: number;
  body: T;
  at: number;
}

/** One state of an object that was waited for; `object` is undefined when it is gone. */
export interface Seen {
  object: KubeObject | undefined;
  at: number;
}

export interface Waiting {
  /** Ends the sentence "waited 10 s for …". */
  what: string;
  timeoutMs: number;
  signal: AbortSignal;
}

const REQUEST_TIMEOUT_MS = 30_000;

export class Client {
  readonly server: string;
  #config: KubeConfig;
  #options: RequestOptions = {};
  #headers: OutgoingHttpHeaders = {};
  #paths = new Map<string, { plural: string; namespaced: boolean }>();

  private constructor(config: KubeConfig) {
    this.#config = config;
    this.server = (config.getCurrentCluster()?.server ?? '').replace(/\/$/, '');
  }

  /** Reads a kubeconfig (its current context; certificates, tokens, exec plug-ins). */
  static async open(kubeconfig: string): Promise<Client> {
    const config = new KubeConfig();
    try {
      config.loadFromFile(kubeconfig);
    } catch (cause) {
      throw new PlumblineError('DemoKubeconfig', `${kubeconfig} cannot be read as a kubeconfig; name another file`, {
        cause,
      });
    }
    const client = new Client(config);
    if (!client.server.startsWith('https://')) {
      throw new PlumblineError(
        'DemoKubeconfig',
        `the current context of ${kubeconfig} names no https server; choose one`,
      );
    }
    await client.#logIn();
    return client;
  }

  /** A kubeconfig for somebody else on the same server. */
  kubeconfigFor(token: string): string {
    const cluster = this.#config.getCurrentCluster();
    const config = new KubeConfig();
    if (cluster) config.loadFromClusterAndUser(cluster, { name: 'operator', token });
    return config.exportConfig();
  }

  async #logIn(): Promise<void> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const { ca, cert, key, rejectUnauthorized, headers, auth } = options;
    const agent = new Agent({
      keepAlive: true,
      ca,
      cert,
      key,
      ...(rejectUnauthorized === false && { rejectUnauthorized }),
    });
    this.#options = { agent, ...(auth && { auth }) };
    this.#headers = { ...(headers as OutgoingHttpHeaders | undefined) };
  }

  /** One request; any status is an answer. Rejects when the server cannot be reached or `signal` is aborted. */
  async call<T = unknown>(path: string, call: Call): Promise<Answer<T>> {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    let response = await this.#send(path, { ...call, signal });
    if (response.statusCode === 401) {
      // A short-lived token of an exec plug-in ran out.
      response.resume();
      await this.#logIn();
      response = await this.#send(path, { ...call, signal });
    }
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const at = performance.now();
    const text = Buffer.concat(chunks).toString();
    const json = response.headers['content-type']?.startsWith('application/json') === true;
    return { status: response.statusCode ?? 0, body: (json ? JSON.parse(text) : text) as T, at };
  }

  async #send(
    path: string,
    { method = 'GET', body, contentType = 'application/json', signal }: Call,
  ): Promise<IncomingMessage> {
    const headers = {
      ...this.#headers,
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': contentType }),
    };
    const outgoing = request(`${this.server}${path}`, { ...this.#options, headers, method, signal });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return response;
  }

  /** The path of an object, or of its collection when `name` is ''. Asks discovery once per kind. */
  async pathOf({ apiVersion, kind, metadata }: Reference, signal: AbortSignal): Promise<string> {
    const root = groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
    const key = `${apiVersion}/${kind}`;
    if (!this.#paths.has(key)) {
      type Resources = { resources?: { kind: string; name: string; namespaced: boolean }[] };
      const { body } = await this.call<Resources>(root, { signal });
      const found = body.resources?.find((resource) => resource.kind === kind && !resource.name.includes('/'));
      if (!found) throw new PlumblineError('DemoUnknownKind', `the API server has no kind ${kind} in ${apiVersion}`);
      this.#paths.set(key, { plural: found.name, namespaced: found.namespaced });
    }
    const { plural, namespaced } = this.#paths.get(key) ?? { plural: '', namespaced: false };
    const scope = namespaced && metadata.namespace ? `/namespaces/${metadata.namespace}` : '';
    return `${root}${scope}/${plural}${metadata.name && `/${metadata.name}`}`;
  }

  async get(reference: Reference, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { status, body } = await this.call<KubeObject>(await this.pathOf(reference, signal), { signal });
    if (status === 404) return undefined;
    return accepted(status, body, 'read', reference);
  }

  /** Server-side apply with strict field validation. */
  async apply(object: Reference, manager: string, signal: AbortSignal): Promise<KubeObject> {
    const path = await this.pathOf(object, signal);
    const query = `?fieldManager=${manager}&force=true&fieldValidation=Strict`;
    const contentType = 'application/apply-patch+yaml';
    const { status, body } = await this.call<KubeObject>(path + query, {
      method: 'PATCH',
      body: object,
      contentType,
      signal,
    });
    return accepted(status, body, 'apply', object);
  }

  /** A patch under somebody's name, as `kubectl edit` sends it: lists of built-in kinds are merged by their keys. */
  async edit(
    reference: Reference,
    patch: object,
    manager: string,
    signal: AbortSignal,
  ): Promise<Seen & { object: KubeObject }> {
    const path = `${await this.pathOf(reference, signal)}?fieldManager=${manager}`;
    const builtIn = !groupOf(reference.apiVersion).includes('.');
    const contentType = builtIn ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json';
    const { status, body, at } = await this.call<KubeObject>(path, {
      method: 'PATCH',
      body: patch,
      contentType,
      signal,
    });
    return { object: accepted(status, body, 'edit', reference), at };
  }

  /** Deletes; an object that is already gone is fine. Resolves when the server has answered, not when it is gone. */
  async remove(reference: Reference, signal: AbortSignal): Promise<{ at: number }> {
    const { status, body, at } = await this.call(await this.pathOf(reference, signal), { method: 'DELETE', signal });
    if (status !== 404) accepted(status, body, 'delete', reference);
    return { at };
  }

  /**
   * Waits until the object looks right: reads it, then follows a watch, and reads again whenever the watch ends. With
   * `from`, only states newer than that one count. Rejects with DemoTimeout.
   */
  async waitFor(
    reference: Reference,
    right: (object: KubeObject | undefined) => boolean,
    { what, timeoutMs, signal, from }: Waiting & { from?: KubeObject },
  ): Promise<Seen> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const both = AbortSignal.any([signal, deadline]);
    const collection = await this.pathOf({ ...reference, metadata: { ...reference.metadata, name: '' } }, signal);
    let since = from?.metadata.resourceVersion;
    try {
      for (;;) {
        if (since === undefined) {
          const object = await this.get(reference, both);
          if (right(object)) return { object, at: performance.now() };
          since = object?.metadata.resourceVersion ?? '';
        }
        for await (const seen of this.#watch(collection, reference.metadata.name, since, both))
          if (right(seen.object)) return seen;
        since = undefined;
      }
    } catch (error) {
      if (!deadline.aborted || signal.aborted) throw error;
      throw new PlumblineError('DemoTimeout', `waited ${timeoutMs / 1000} s for ${what}`, { cause: error });
    }
  }

  async *#watch(collection: string, name: string, resourceVersion: string, signal: AbortSignal): AsyncGenerator<Seen> {
    const query = `watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${resourceVersion}&timeoutSeconds=300`;
    const response = await this.#send(`${collection}?${query}`, { signal });
    try {
      if (response.statusCode !== 200) return;
      for await (const line of linesOf(response)) {
        const { type, object } = JSON.parse(line) as { type: string; object: KubeObject };
        if (type === 'ERROR') return;
        yield { object: type === 'DELETED' ? undefined : object, at: performance.now() };
      }
    } finally {
      response.destroy();
    }
  }
}

async function* linesOf(response: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** The body of a good answer; otherwise an error with the server's own message, which never holds our credentials. */
function accepted(status: number, body: unknown, verb: string, reference: Reference): KubeObject {
  if (status >= 200 && status < 300) return body as KubeObject;
  const { message = '' } = (typeof body === 'object' && body !== null ? body : {}) as { message?: string };
  const what = describeIdentity(identityOf(reference));
  throw new PlumblineError(
    'DemoRefused',
    `the API server refused to ${verb} ${what} (${status}): ${message.slice(0, 500)}`,
  );
}
