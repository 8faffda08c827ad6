import { raiseForAddedHeaders } from './added-headers.ts';
import { collect } from './collect.ts';
import { Frozen, type Compilation } from './compilation.ts';
import { Clusters } from './clusters.ts';
import { Groups } from './groups.ts';
import { loadHosts } from './hosts.ts';
import { HttpFilters } from './http-filters.ts';
import type { EdgeInput } from './input.ts';
import { internalMappings } from './internal-mappings.ts';
import { loadListeners } from './listeners.ts';
import type { MappingContext } from './mapping.ts';
import type { Edge } from './model.ts';
import { moduleOf } from './module.ts';
import { raiseForBalancer, raiseForClusters, raiseForRoutes } from './module-types.ts';
import { resolversOf } from './resolvers.ts';
import { Secrets } from './secrets.ts';
import { SelectedLabels } from './selected-labels.ts';
import { selectsStrictly } from './selector.ts';
import { serve } from './served.ts';
import { TcpGroups } from './tcp-groups.ts';
import { TlsContexts } from './tls-contexts.ts';

/**
 * What Emissary's compiler makes of the objects: the stages in upstream's order (ir/ir.py). Pure; the same input gives the
 * same answer, and what depends on one object alone is remembered with that object, so that a second run over almost the
 * same objects is much cheaper. Never throws for anything that an object holds: where upstream would crash, `freeze` says so.
 */
export function compileEdge(input: EdgeInput): Edge {
  const compilation = collect(input);
  const edge = emptyEdge(compilation);
  try {
    compile(edge, compilation, input);
  } catch (error) {
    if (!(error instanceof Frozen)) throw error;
    edge.freeze = error.freeze;
  }
  return edge;
}

type EdgeDraft = { -readonly [Field in keyof Edge]: Edge[Field] };

function emptyEdge({ settings, policies, errors, notices, drops }: Compilation): EdgeDraft {
  return {
    settings,
    policies,
    errors,
    notices,
    drops,
    contexts: new Map(),
    hosts: [],
    groups: [],
    tcpGroups: [],
    clusters: new Map(),
    listeners: [],
    freeze: undefined,
  };
}

function compile(edge: EdgeDraft, compilation: Compilation, input: EdgeInput): void {
  const { settings } = compilation;
  const module = moduleOf(compilation);
  const secrets = new Secrets(input);
  const termination = new TlsContexts(compilation, secrets, module);
  const bindings = loadListeners(compilation);
  edge.hosts = loadHosts(compilation, termination, secrets);
  const contexts = termination.finish();
  edge.contexts = contexts;
  const filters = new HttpFilters(compilation, module);
  const context: MappingContext = { settings, module, resolvers: resolversOf(compilation) };

  const groups = new Groups(compilation, context, new SelectedLabels(edge.hosts, selectsStrictly(settings)));
  const tcpGroups = new TcpGroups(compilation, context);
  groups.addAll(compilation.of('Mapping'));
  tcpGroups.addAll(compilation.of('TCPMapping'));
  groups.addAll(internalMappings(module, settings));

  raiseForBalancer(module);
  const clusters = new Clusters(compilation, module, contexts, context.resolvers);
  filters.addClusters(clusters);
  edge.groups = groups.finish(clusters);
  edge.tcpGroups = tcpGroups.finish(clusters);
  edge.clusters = clusters.byName;
  filters.raiseForTracing();
  filters.raiseForFirst();
  raiseForRoutes(module, edge.groups);
  raiseForAddedHeaders(edge.groups);
  filters.checkRateLimits(edge.groups);
  Object.assign(
    edge,
    serve(compilation, edge, bindings, () => filters.ofListener()),
  );
  raiseForClusters(module, clusters);
  filters.raiseForLog();
}
