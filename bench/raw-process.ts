// The bare loops that a figure is compared with, as a process of their own, because Plumbline is one too:
//   raw-process.ts heal <dir> <namespace>   answers each foreign change of a ConfigMap by one server-side apply
//   raw-process.ts list <dir> <namespace>   lists the mixed kinds once, parses them and ends
//   raw-process.ts hold <dir> <namespace>   the same, and then holds one watch for each kind
// <dir> is that of a running test cluster; `ready` on stdout when it is.
import { joinCluster } from '../test/cluster.ts';
import { COLLECTIONS, configMapsOf, KINDS, markOf, mixedObjects } from './mixed-objects.ts';
import { Observer } from './observer.ts';
import { RawApply } from './raw-apply.ts';

const [mode, dir, namespace] = process.argv.slice(2) as [string, string, string];
const cluster = joinCluster(dir);

async function heal(): Promise<void> {
  await using raw = new RawApply(cluster, cluster.tokens.operator);
  // More than any bench edits; one that does not exist is never looked at.
  const declared = new Map(configMapsOf(mixedObjects(100_000)).map((object) => [object.name, object]));
  const answer = (object: Parameters<typeof markOf>[0]) => {
    const wanted = declared.get(object.metadata.name);
    if (wanted && markOf(object) !== 'declared') void raw.one(namespace, wanted);
  };
  await using _ = await Observer.open(cluster, COLLECTIONS.ConfigMap(namespace), (_type, object) => answer(object));
  await stay();
}

async function list(): Promise<void> {
  await Promise.all(KINDS.map(async (kind) => cluster.request('GET', COLLECTIONS[kind](namespace))));
}

async function hold(): Promise<void> {
  await list();
  await Promise.all(KINDS.map(async (kind) => Observer.open(cluster, COLLECTIONS[kind](namespace), () => {})));
  await stay();
}

/** Until it is killed. */
function stay(): Promise<never> {
  process.stdout.write('ready\n');
  setInterval(() => {}, 60_000);
  return new Promise(() => {});
}

const modes = { heal, list, hold };
await modes[mode as keyof typeof modes]();
process.exit(0);
