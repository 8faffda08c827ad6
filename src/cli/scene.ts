import { PRUNE_ANNOTATION } from '../api/names.ts';
import type { EdgeInput, EdgeObject, EdgeSettings, SecretShape } from '../edge/input.ts';
import { isEdgeCrd, versionsServedBy } from '../edge/served-versions.ts';
import { watchedBy } from '../edge/watched.ts';
import { groupOf, identityKey, identityOf } from '../kube/object.ts';
import type { RenderProblem } from '../render/declared.ts';
import type { Arguments } from './arguments.ts';
import type { ClusterView } from './cluster.ts';
import { chooseGateway, isEdgePolicy, type JudgedGateway } from './gateway.ts';
import { assumedSecret, secretsFor } from './judgement.ts';
import { readSources } from './sources.ts';
import { plural } from '../plural.ts';

/** Everything that a command looks at, gathered before anything is decided. */
export interface Scene {
  /** What the edge is made of once the working copies are applied; offline, the working copies alone. */
  readonly objects: readonly EdgeObject[];
  /** What it is made of now; undefined offline. */
  readonly before: readonly EdgeObject[] | undefined;
  /** What is not among the objects does not exist. */
  readonly complete: boolean;
  readonly gateway: JudgedGateway;
  readonly secret: EdgeInput['secret'];
  readonly problems: readonly RenderProblem[];
  /** To be asked for after the judgement: what it came to rely on. */
  readonly notes: () => string[];
}

/** A cluster answers within seconds, or something is wrong that waiting will not mend. */
const CLUSTER_MS = 120_000;

/** Reads the working copies and, if asked for, the cluster. Throws PlumblineError. */
export async function gatherScene(args: Arguments): Promise<Scene> {
  const { objects, problems } = await readSources(args.sources, args);
  if (!args.live) return offline(args, objects, problems);
  const { connect, readCluster, readSecret } = await import('./cluster.ts');
  await using api = await connect(args.kubeconfig, args.context);
  const signal = AbortSignal.timeout(CLUSTER_MS);
  const view = await readCluster(api, signal);
  return live(args, { objects, problems }, view, async (secret) => readSecret(api, secret, signal));
}

async function offline(
  args: Arguments,
  objects: readonly EdgeObject[],
  problems: readonly RenderProblem[],
): Promise<Scene> {
  const policies = objects.map(({ object }) => object).filter(isEdgePolicy);
  const gateway = await chooseGateway(args, policies, [], undefined);
  const assumed = new Set<string>();
  const secret: EdgeInput['secret'] = (name, namespace) => {
    const shape = assumedSecret(name, namespace);
    if (shape) assumed.add(`${namespace}/${name}`);
    return shape;
  };
  const unread = unreadNotes(objects, gateway.settings);
  const notes = () => [
    ...gateway.notes,
    ...unread,
    ...(assumed.size > 0
      ? [`${plural(assumed.size, 'Secret')} not among the files taken as present and complete; --live looks`]
      : []),
  ];
  return { objects, before: undefined, complete: false, gateway, secret, problems, notes };
}

async function live(
  args: Arguments,
  declared: { objects: readonly EdgeObject[]; problems: readonly RenderProblem[] },
  view: ClusterView,
  readSecret: (secret: { name: string; namespace: string }) => Promise<SecretShape | 'forbidden' | undefined>,
): Promise<Scene> {
  const policies = [...view.policies, ...declared.objects.map(({ object }) => object).filter(isEdgePolicy)];
  const crds = declared.objects.filter(({ object }) => isEdgeCrd(identityOf(object)));
  // What the files bring in a version of their own CRDs is as good as served.
  const served = new Set([...view.servedVersions, ...crds.flatMap(({ object }) => versionsServedBy(object))]);
  const gateway = await chooseGateway(args, policies, view.namespaces, served);
  const { objects, notes } = applied(declared.objects, view.objects, declared.problems.length === 0);
  const forbidden: string[] = [];
  const secret = await secretsFor([view.objects, objects], gateway.settings, async (name) => {
    const shape = await readSecret(name);
    if (shape !== 'forbidden') return shape;
    forbidden.push(`${name.namespace}/${name.name}`);
    return assumedSecret(name.name, name.namespace);
  });
  const unseen = forbidden.length > 0 ? [`taken as present, this account may not look: ${forbidden.join(', ')}`] : [];
  const unread = unreadNotes(objects, gateway.settings);
  const all = [...gateway.notes, ...unread, ...view.notes, ...notes, ...unseen];
  const complete = view.complete && declared.problems.length === 0;
  return { objects, before: view.objects, complete, gateway, secret, problems: declared.problems, notes: () => all };
}

/**
 * The cluster's objects after the working copies were applied: declared ones replace live ones, and what a source no longer
 * declares goes away. Files that cannot be read prune nothing, as in the operator. A bare path is taken for the source that
 * owns what it declares, if there is exactly one.
 */
export function applied(
  declared: readonly EdgeObject[],
  present: readonly EdgeObject[],
  complete: boolean,
): { objects: EdgeObject[]; notes: string[] } {
  const owners = new Map(present.map(({ object, origin }) => [keyOf(object), origin.source]));
  const adopters = new Set(
    declared
      .filter(({ origin }) => origin.source === undefined)
      .map(({ object }) => owners.get(keyOf(object)))
      .filter((source) => source !== undefined),
  );
  const adopter = adopters.size === 1 ? [...adopters][0] : undefined;
  const named = declared.map((one) =>
    one.origin.source === undefined && adopter !== undefined ? withSource(one, adopter) : one,
  );
  const sources = new Set(named.map(({ origin }) => origin.source).filter((source) => source !== undefined));
  const replaced = new Set(named.map(({ object }) => keyOf(object)));
  const stays = ({ object, origin }: EdgeObject) => {
    if (replaced.has(keyOf(object))) return false;
    if (!complete || origin.source === undefined || !sources.has(origin.source)) return true;
    return object.metadata.annotations?.[PRUNE_ANNOTATION] === 'disabled';
  };
  const notes = adopter === undefined ? [] : [`the files are taken for those of source ${adopter}`];
  return { objects: [...named, ...present.filter(stays)], notes };
}

/** Where the gateway reads only some objects, nothing is found in the others, and nothing would say so. */
function unreadNotes(objects: readonly EdgeObject[], settings: EdgeSettings): string[] {
  const { namespace, singleNamespace = false, labelSelector } = settings;
  const policies = objects.filter(({ object, origin }) => {
    return origin.file !== undefined && groupOf(object.apiVersion) === 'getambassador.io';
  });
  const count = policies.length - watchedBy(settings, policies).length;
  if (count === 0) return [];
  const read = [
    ...(singleNamespace ? [`in the namespace ${namespace}`] : []),
    ...(labelSelector === undefined ? [] : [`with the labels ${labelSelector}`]),
  ];
  const verb = count === 1 ? 'is' : 'are';
  return [
    `${plural(count, 'object')} of these files ${verb} not judged: the gateway reads only those ${read.join(' ')}`,
  ];
}

function keyOf(object: EdgeObject['object']): string {
  return identityKey(identityOf(object));
}

function withSource({ object, origin }: EdgeObject, source: string): EdgeObject {
  return { object, origin: { ...origin, source } };
}
