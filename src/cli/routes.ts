import { whoServes, type Answer } from '../edge/request.ts';
import { isGlob } from '../edge/hostglob.ts';
import { explain, type ObjectVerdict } from '../edge/explain.ts';
import { routeTable, type TableRoute } from '../edge/route-table.ts';
import type { RenderProblem } from '../render/declared.ts';
import type { Arguments } from './arguments.ts';
import { judge } from './judgement.ts';
import { optionsOf } from './lint.ts';
import { takesAll } from './route-text.ts';
import { gatherScene } from './scene.ts';

export interface RoutesResult {
  /** Set when it was asked what serves one host. */
  readonly host: string | undefined;
  readonly routes: readonly TableRoute[];
  /** Mappings and TCPMappings that nothing reaches, with the reason. */
  readonly unserved: readonly ObjectVerdict[];
  /** Set when it was asked who serves one request. */
  readonly answers: readonly Answer[] | undefined;
  readonly problems: readonly RenderProblem[];
  readonly notes: readonly string[];
}

/** `plumbline routes`: the route table, of one host if wanted, or who serves one request. */
export async function routes(args: Arguments): Promise<RoutesResult> {
  const scene = await gatherScene(args);
  const { edge, findings } = judge(scene.objects, optionsOf(scene));
  const notes = [
    ...scene.notes(),
    ...(edge.freeze ? [`the gateway would take nothing of this: ${edge.freeze.message}`] : []),
  ];
  const { host, path, method, headers, scheme } = args;
  const result = { host, problems: scene.problems, notes, answers: undefined };
  if (host !== undefined && path !== undefined) {
    const answers = whoServes(edge, { host, path, method, headers, secure: scheme === 'https' });
    return { ...result, routes: [], unserved: [], answers };
  }
  const table = routeTable(edge);
  if (host !== undefined) return { ...result, routes: table.filter((route) => isAbout(route, host)), unserved: [] };
  const unserved = [...explain(edge, findings).values()].filter(({ object, state }) => {
    return (object.kind === 'Mapping' || object.kind === 'TCPMapping') && state !== 'Served';
  });
  return { ...result, routes: table, unserved };
}

/** The virtual host itself, or one whose glob covers the name, unless the route is for other names of it alone. */
function isAbout({ host, headers }: TableRoute, name: string): boolean {
  const wanted = name.toLowerCase();
  const isOfOthers = headers.some((asked) => asked.name === ':authority' && !takesAll(asked, wanted));
  if (isOfOthers && !isGlob(wanted)) return false;
  return host.split(', ').some((domain) => {
    const glob = domain.toLowerCase();
    if (glob === wanted) return true;
    if (glob.startsWith('*')) return wanted.endsWith(glob.slice(1));
    return glob.endsWith('*') && wanted.startsWith(glob.slice(0, -1));
  });
}
