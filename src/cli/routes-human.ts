import { sentenceOf } from '../edge/explain.ts';
import { describe, partyOf } from '../edge/party.ts';
import type { Answer } from '../edge/request.ts';
import { problemLine } from './report-human.ts';
import { whereOf } from './report.ts';
import { linesOf, matchText, ownerText, serviceText, tlsText, whereText } from './route-text.ts';
import type { Route } from '../edge/model.ts';
import type { RoutesResult } from './routes.ts';
import { columns, printable, type Paint } from './terminal.ts';
import { plural } from '../plural.ts';

/** The table, or the answer to one request, with what could not be read first. */
export function humanRoutes(result: RoutesResult, paint: Paint): string {
  const { unserved, answers, problems, notes } = result;
  return [
    ...problems.map((problem) => problemLine(problem, paint)),
    ...(answers ? answers.map((answer) => answerText(answer, paint)) : [routesText(result, paint)]),
    ...(answers?.length === 0 ? ['nobody: no Listener takes HTTP'] : []),
    ...unserved.map((verdict) => `${paint('yellow', describe(verdict.object))} ${printable(sentenceOf(verdict))}`),
    ...notes.map((note) => paint('dim', printable(note))),
  ].join('\n');
}

const HEAD = ['HOST', 'MATCH', 'WEIGHT', 'SERVICE', 'TLS', 'OWNER', 'OBJECT', 'FILE'];

function routesText({ routes, host }: RoutesResult, paint: Paint): string {
  if (routes.length === 0 && host !== undefined) return `no routes for ${printable(host)}`;
  if (routes.length === 0) return 'no routes: nothing is served without a Listener and a Host (or a default one)';
  const rows = routes.flatMap((route) =>
    linesOf(route).map(({ weight, service, object }, index) => [
      index === 0 ? printable(route.host) : '',
      index === 0 ? printable(matchText(route)) : '',
      weight,
      printable(service),
      index === 0 ? tlsText(route) : '',
      printable(ownerText(object)),
      printable(describe(object)),
      printable(whereText(object)),
    ]),
  );
  return `${columns(HEAD, rows, paint)}\n${plural(routes.length, 'route')}`;
}

function answerText({ listener, chain, vhost, served, unserved }: Answer, paint: Paint): string {
  const at = paint('bold', `${listener.name}:${listener.port}`);
  if (!chain) return `${at}  no connection: no certificate for this name`;
  if (!vhost) return `${at}  404: no Host of this name`;
  const lines = served.map(({ route, share }) => {
    const party = partyOf(route.policy);
    const place = whereOf(party);
    return `  ${share}% ${printable(targetOf(route))}  ${printable(describe(party))}  ${paint('cyan', printable(place))}`;
  });
  const rest = unserved > 0 ? [`  ${unserved}% 404: no route`] : [];
  return [`${at}  ${printable(vhost.domains.join(', '))}`, ...lines, ...rest].join('\n');
}

function targetOf({ action }: Route): string {
  if (action.kind === 'cluster')
    return serviceText({ service: action.cluster.endpoints[0] ?? '', encrypted: action.cluster.tls });
  return action.redirect.https ? 'redirected to https' : `redirected to ${action.redirect.host ?? 'another path'}`;
}
