import { buildCluster, startCluster } from '../../test/cluster.ts';
import { Client } from './client.ts';

/** The cluster that the demo plays on. */
export interface ControlPlane extends AsyncDisposable {
  client: Client;
  /** Path of the kubeconfig, for people who want to look themselves. */
  kubeconfig: string;
  /** Somebody else's: leave it as it was. */
  named: boolean;
  version: string;
}

/** The cluster of `kubeconfig`, or a real control plane of our own that ends with the demo. */
export async function openControlPlane(
  kubeconfig: string | undefined,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<ControlPlane> {
  if (kubeconfig !== undefined)
    return describe(await Client.open(kubeconfig), kubeconfig, true, async () => {}, signal);
  await buildCluster(log);
  const cluster = await startCluster();
  try {
    return await describe(
      await Client.open(cluster.kubeconfig),
      cluster.kubeconfig,
      false,
      () => cluster.stop(),
      signal,
    );
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function describe(
  client: Client,
  kubeconfig: string,
  named: boolean,
  stop: () => Promise<void>,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const { body } = await client.call<{ gitVersion?: string }>('/version', { signal });
  return { client, kubeconfig, named, version: body.gitVersion ?? 'unknown', [Symbol.asyncDispose]: stop };
}
