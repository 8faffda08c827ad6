import { Slice } from '../concurrency/slice.ts';
import { identityKey } from '../kube/object.ts';
import { NONE } from '../none.ts';
import { Body } from './body.ts';
import type { RenderCache, RenderedFile } from './cache.ts';
import type { Declared } from './declared.ts';
import { sharedPlacements } from './placements.ts';
import { onePolicy } from './policy.ts';
import { detached, shared } from './words.ts';

/** What one line of text says of a file without problems; what follows from the rest is left out. */
interface KeptFile extends Omit<RenderedFile, 'declared' | 'problems'> {
  path: string;
  declared: readonly (Omit<Declared, 'key' | 'file' | 'body'> & { body: string })[];
}

/**
 * The files of a cache, as it is at the call, as lines of JSON in the order of their paths. They hold what the files hold, Secrets too.
 */
export function keptFiles(cache: RenderCache): Generator<string> {
  return linesOf([...cache.entries()].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function* linesOf(files: Iterable<[path: string, file: RenderedFile]>): Generator<string> {
  for (const [path, { problems: _problems, ...file }] of files) {
    const declared = file.declared.map(({ key: _key, file: _file, body, ...object }) => ({
      ...object,
      body: body.text,
    }));
    yield JSON.stringify({ path, ...file, declared } satisfies KeptFile);
  }
}

/** Takes lines of `keptFiles` back into a cache, which must be used with the same settings. Rejects only when aborted. */
export async function restoreFiles(lines: Iterable<string>, cache: RenderCache, signal: AbortSignal): Promise<void> {
  const slice = new Slice(signal);
  for (const line of lines) {
    const { path, declared, placedBy, ...file } = JSON.parse(line) as KeptFile;
    cache.set(path, {
      ...file,
      problems: NONE,
      placedBy: sharedPlacements(placedBy),
      declared: declared.map((object) => restoreObject(object, path)),
    });
    await slice.rest();
  }
}

function restoreObject(
  { identity, apiVersion, line, body, digest, policy }: KeptFile['declared'][number],
  file: string,
): Declared {
  const { group, kind, namespace, name } = identity;
  const words = { group: shared(group), kind: shared(kind), namespace: shared(namespace), name };
  const key = detached(identityKey(words));
  return {
    identity: words,
    key,
    apiVersion: shared(apiVersion),
    file,
    line,
    body: new Body(body),
    digest,
    policy: onePolicy(policy),
  };
}
