import { bearer, fixedConfig } from '../src/kube/auth.ts';
import { Discovery } from '../src/kube/discovery.ts';
import { KubeApi } from '../src/kube/objects.ts';
import type { ApiResource } from '../src/kube/resource.ts';
import { Transport } from '../src/kube/transport.ts';
import type { TransportOptions } from '../src/kube/transport.ts';
import type { Cluster } from './cluster.ts';

/** Our own client to a test cluster. `url` goes through a proxy instead. */
export function clientOf(
  cluster: Cluster,
  {
    url = cluster.url,
    token = cluster.tokens.operator,
    ...options
  }: TransportOptions & { url?: string; token?: string } = {},
): KubeApi & AsyncDisposable {
  const config = fixedConfig(url, { headers: bearer(token), tls: { ca: cluster.ca } });
  const transport = new Transport(config, options);
  const api = new KubeApi(transport, new Discovery(transport));
  return Object.assign(api, { [Symbol.asyncDispose]: () => transport.close() });
}

export async function resourceOf(api: KubeApi, apiVersion: string, kind: string): Promise<ApiResource> {
  const resource = await api.discovery.resource(apiVersion, kind, new AbortController().signal);
  if (!resource) throw new Error(`the test cluster does not serve ${apiVersion} ${kind}`);
  return resource;
}
