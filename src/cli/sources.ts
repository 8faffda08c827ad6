import { withoutValues } from '../edge/gather.ts';
import type { EdgeObject } from '../edge/input.ts';
import type { KubeObject } from '../kube/object.ts';
import { RenderCache } from '../render/cache.ts';
import type { Declared, RenderProblem } from '../render/declared.ts';
import { render } from '../render/render.ts';
import { openWorkingCopy, type WorkingCopy } from './working-copy.ts';

/** One repository, or a folder of one, as the command line names it. */
export interface SourceArgument {
  /** `namespace/name` of the GitOpsSource, or any name. Undefined for a bare path: its objects belong to their namespaces. */
  readonly name: string | undefined;
  readonly path: string;
}

export interface ReadOptions {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Of objects that name none, unless the source's own name says it. */
  readonly namespace: string;
}

/** What working copies declare. Files are named from where the command was started. */
export interface ReadSources {
  readonly objects: readonly EdgeObject[];
  /** What the operator would stop at. The rest is judged all the same. */
  readonly problems: readonly RenderProblem[];
}

/** Reads working copies as the operator would render their commits. Throws `WorkingCopyUnreadable`. */
export async function readSources(sources: readonly SourceArgument[], options: ReadOptions): Promise<ReadSources> {
  const objects: EdgeObject[] = [];
  const problems: RenderProblem[] = [];
  for (const source of sources) {
    const copy = openWorkingCopy(source.path);
    const result = await renderCopy(copy, source, options);
    for (const one of result.declared) objects.push(edgeObject(one, source.name));
    problems.push(...result.problems);
    // The operator prunes nothing for it, and a check that looks at nothing must not pass.
    if (result.declared.length === 0 && result.problems.length === 0) problems.push(empty(source));
  }
  return { objects, problems };
}

function empty({ path }: SourceArgument): RenderProblem {
  const message = 'there is not one Kubernetes object in a file .yaml, .yml or .json';
  return { code: 'EmptyRevision', file: path, message };
}

const CLUSTER_KINDS: ReadonlySet<string> = new Set([
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'EdgePolicy',
]);

async function renderCopy(copy: WorkingCopy, { name }: SourceArgument, options: ReadOptions) {
  const slash = name?.indexOf('/') ?? -1;
  return render({
    files: copy.files,
    read: copy.read,
    selection: { path: copy.folder, include: options.include, exclude: options.exclude },
    settings: {
      source: {
        namespace: slash > 0 ? name!.slice(0, slash) : options.namespace,
        name: name?.slice(slash + 1) ?? '',
      },
      // Of other kinds it does not matter here: all of the edge are namespaced.
      scopeOf: (_group, kind) => (CLUSTER_KINDS.has(kind) ? 'Cluster' : undefined),
    },
    cache: new RenderCache(),
    signal: new AbortController().signal,
  });
}

function edgeObject({ body, file, line }: Declared, source: string | undefined): EdgeObject {
  return {
    object: withoutValues(JSON.parse(body.text) as KubeObject),
    origin: { ...(source !== undefined && { source }), file, line },
  };
}
