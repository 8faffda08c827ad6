import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../edge/finding.ts';
import { routeTable, type TableMember, type TableRoute } from '../edge/route-table.ts';
import type { Arguments } from './arguments.ts';
import { judge } from './judgement.ts';
import { optionsOf, reportOf } from './lint.ts';
import type { Report } from './report.ts';
import { gatherScene } from './scene.ts';

/** What a working copy would change on the edge. */
export interface EdgeDiff {
  readonly added: readonly TableRoute[];
  readonly changed: readonly ChangedRoute[];
  readonly lost: readonly TableRoute[];
}

export interface ChangedRoute {
  readonly before: TableRoute;
  readonly after: TableRoute;
  /** What is different: `served by`, `TLS`, `ports` … */
  readonly fields: readonly string[];
}

export interface DiffResult {
  readonly diff: EdgeDiff;
  /** The findings that the change brings about. */
  readonly report: Report;
  readonly isDifferent: boolean;
}

/** `plumbline diff`: new, changed and lost routes of working copies against the cluster, and new findings. */
export async function diff(args: Arguments): Promise<DiffResult> {
  const scene = await gatherScene(args);
  const before = judge(scene.before ?? [], optionsOf(scene));
  const after = judge(scene.objects, optionsOf(scene));
  const found = diffTables(routeTable(before.edge), routeTable(after.edge));
  const fresh = newFindings(before.findings, after.findings);
  const { added, changed, lost } = found;
  return {
    diff: found,
    report: reportOf(fresh, scene, args),
    isDifferent: added.length + changed.length + lost.length + fresh.length > 0,
  };
}

function newFindings(before: readonly Finding[], after: readonly Finding[]): Finding[] {
  const known = new Set(before.map(({ key }) => key));
  return after.filter(({ key }) => !known.has(key));
}

/** Routes are the same when host and match are: everything else about them is a change. */
export function diffTables(before: readonly TableRoute[], after: readonly TableRoute[]): EdgeDiff {
  const was = new Map(before.map((route) => [route.key, route]));
  const is = new Map(after.map((route) => [route.key, route]));
  return {
    added: after.filter(({ key }) => !was.has(key)),
    lost: before.filter(({ key }) => !is.has(key)),
    changed: after.flatMap((route) => {
      const old = was.get(route.key);
      const fields = old ? differing(old, route) : [];
      return old && fields.length > 0 ? [{ before: old, after: route, fields }] : [];
    }),
  };
}

function differing(before: TableRoute, after: TableRoute): string[] {
  const aspects: Record<string, (route: TableRoute) => unknown> = {
    'served by': ({ members }) => members.map(served),
    redirect: ({ redirect }) => redirect && [nameOf(redirect.object), redirect.to],
    TLS: ({ tls }) => tls,
    ports: ({ ports }) => ports,
    'copied to': ({ shadows }) => shadows.map(nameOf),
    'letter case': ({ caseSensitive }) => caseSensitive,
  };
  const fields = Object.keys(aspects).filter(
    (name) => !isDeepStrictEqual(aspects[name]!(before), aspects[name]!(after)),
  );
  return [...fields, ...(settingsDiffer(before, after) ? ['settings'] : [])];
}

/** Of those who served it before and still do: a newcomer's settings are no change. */
function settingsDiffer(before: TableRoute, after: TableRoute): boolean {
  const old = new Map(before.members.map(({ object, settings }) => [nameOf(object), settings]));
  return after.members.some(({ object, settings }) => {
    const was = old.get(nameOf(object));
    return was !== undefined && !isDeepStrictEqual(was, settings);
  });
}

/** Where an object is written does not change a route. */
function served({ object, share, service, encrypted, statsName }: TableMember): unknown {
  return [nameOf(object), share, service, encrypted, statsName];
}

function nameOf({ kind, namespace, name }: TableMember['object']): string {
  return `${kind} ${namespace}/${name}`;
}
