import { startGitServer } from '../../test/git-server.ts';
import { shopFiles, type Files } from './shop.ts';
import type { Stage } from './stage.ts';

/** The config repository of the shop on a Git server of its own. */
export interface ConfigRepository extends AsyncDisposable, Pick<Stage, 'tip' | 'push'> {
  url: string;
}

/** Starts the server (git http-backend on loopback) and pushes examples/shop as the first commit. */
export async function startConfigRepository(): Promise<ConfigRepository> {
  const server = await startGitServer();
  const repository = await server.createRepository('shop');
  let files: Files = await shopFiles();
  let sha = await repository.write({ ...files }, 'The shop');
  return {
    url: repository.url,
    tip: () => ({ sha, files }),
    push: async (change, message) => {
      sha = await repository.write(change, message);
      const at = performance.now();
      files = Object.fromEntries(
        Object.entries({ ...files, ...change }).filter((entry): entry is [string, string] => entry[1] !== null),
      );
      return { sha, at };
    },
    [Symbol.asyncDispose]: async () => server.stop(),
  };
}
