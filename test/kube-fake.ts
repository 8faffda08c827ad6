import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fixedConfig } from '../src/kube/auth.ts';
import { Discovery } from '../src/kube/discovery.ts';
import { KubeApi } from '../src/kube/objects.ts';
import type { ApiResource } from '../src/kube/resource.ts';
import { Transport } from '../src/kube/transport.ts';
import type { TransportOptions } from '../src/kube/transport.ts';

export interface FakeRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

/** For what a real API server does not do on demand: refusals, resets, silence, lies. */
export interface FakeApi extends AsyncDisposable {
  url: string;
  transport: Transport;
  api: KubeApi;
  /** Everything asked so far. */
  requests: FakeRequest[];
  readonly connections: number;
}

export const CONFIG_MAPS: ApiResource = {
  apiVersion: 'v1',
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
  hasStatus: false,
};

/** `answer` gets the number of the request, from 0. */
export async function fakeApi(
  answer: (request: FakeRequest, response: ServerResponse, index: number) => void,
  options: TransportOptions = {},
): Promise<FakeApi> {
  const requests: FakeRequest[] = [];
  let connections = 0;
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '', 'http://fake');
    const { method = '', headers } = incoming;
    // A client that leaves half-way is nothing to a fake.
    text(incoming).then(
      (body) => {
        const request = { method, path: url.pathname, query: url.searchParams, headers, body };
        requests.push(request);
        answer(request, response, requests.length - 1);
      },
      () => {},
    );
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = new Transport(fixedConfig(url), { random: () => 0, ...options });
  return {
    url,
    transport,
    api: new KubeApi(transport, new Discovery(transport)),
    requests,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function sendJson(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function sendStatus(response: ServerResponse, code: number, reason: string, message = reason): void {
  sendJson(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}

export function configMap(name: string, resourceVersion = '1'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', resourceVersion } };
}

export function sendList(response: ServerResponse, names: string[], resourceVersion: string, more: object = {}): void {
  const items = names.map((name) => ({ metadata: { name, namespace: 'default', resourceVersion } }));
  sendJson(response, 200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion, ...more }, items });
}

/** Begins a watch; each call of the result sends one event. */
export function beginWatch(response: ServerResponse): (type: string, object: object) => void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  return (type, object) => response.write(`${JSON.stringify({ type, object })}\n`);
}
