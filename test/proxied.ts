import { sharedCluster } from './cluster.ts';
import { ApiProxy } from './faults/proxy.ts';
import { World } from './operator.ts';

/** A world whose operator reaches the API server only through a proxy, which a test tells what to break. */
export interface ProxiedWorld extends AsyncDisposable {
  readonly world: World;
  readonly proxy: ApiProxy;
}

export async function proxiedWorld(): Promise<ProxiedWorld> {
  const cluster = await sharedCluster();
  const proxy = await ApiProxy.start(cluster);
  const world = await World.create({ cluster, via: proxy });
  return {
    world,
    proxy,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
