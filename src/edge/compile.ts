import { collect } from './collect.ts';
import { Frozen } from './compilation.ts';
import type { EdgeInput } from './input.ts';
import type { Edge } from './model.ts';

/**
 * What Emissary's compiler makes of the objects: the stages in upstream's order (ir/ir.py). Pure; the same input gives the
 * same answer, and what depends on one object alone is remembered with that object, so that a second run over almost the
 * same objects is much cheaper. Never throws for anything that an object holds: where upstream would crash, `freeze` says so.
 */
export function compileEdge(input: EdgeInput): Edge {
  const compilation = collect(input);
  const { settings, policies, errors, notices, drops } = compilation;
  const edge: { -readonly [Field in keyof Edge]: Edge[Field] } = {
    ...{ settings, policies, errors, notices, drops },
    ...{ contexts: new Map(), hosts: [], groups: [], tcpGroups: [], clusters: new Map(), listeners: [] },
    freeze: undefined,
  };
  try {
    // Stages are added here, in upstream's order: module, contexts, hosts, resolvers, filters, mappings, groups, listeners.
  } catch (error) {
    if (!(error instanceof Frozen)) throw error;
    edge.freeze = error.freeze;
  }
  return edge;
}
