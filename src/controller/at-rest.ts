import { patiently } from '../concurrency/patiently.ts';
import type { Remote } from '../git/remote.ts';
import { Body } from '../render/body.ts';
import type { Desired } from '../sync/desired.ts';
import type { ReconcileDeps } from './deps.ts';
import { keepRevision } from './kept-revision.ts';
import type { Source } from './source.ts';

/** What comes of it is the least urgent of all. */
const AT_REST = { waitMs: 250, patienceMs: 10_000 };

/** After a run: once there is nothing more urgent to do, what is enforced is kept for a restart, and made small in memory. */
export function comeToRest(source: Source, remote: Remote, deps: ReconcileDeps): void {
  patiently(deps, AT_REST, () => {
    keepRevision(source, remote, deps);
    packBodies(source, deps);
  });
}

function packBodies(source: Source, { log, quiet }: ReconcileDeps): void {
  const bodies = [...bodiesOf(source.rendered?.desired ?? [])];
  Body.pack(bodies, new AbortController().signal)
    .then(() => quiet.stirred())
    .catch((error: unknown) =>
      log.warn({ error, source: source.key }, 'what is declared could not be packed, and takes more memory'),
    );
}

function* bodiesOf(desired: readonly Desired[]): Generator<Body> {
  for (const one of desired) {
    yield one.body;
    if (one.givenUp) yield one.givenUp.createBody;
  }
}
