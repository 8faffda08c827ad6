import { sentenceOf } from '../edge/explain.ts';
import { describe, partyOf } from '../edge/party.ts';
import type { TableRoute } from '../edge/route-table.ts';
import type { DiffResult } from './diff.ts';
import { code, escaped, fitted, folded, markdownTable } from './markdown.ts';
import { reportSections } from './report-markdown.ts';
import { linesOf, matchText, ownerText, tlsText, whereText } from './route-text.ts';
import type { RoutesResult } from './routes.ts';

/** More would not be read; the rest is said to be missing. */
const MAX_ROUTES = 100;

/** `plumbline routes` as a table. */
export function markdownRoutes({ routes, unserved, answers, problems, notes }: RoutesResult): string {
  const served = (answers ?? []).flatMap(({ listener, vhost, served, unserved: rest }) => [
    ...served.map(({ route, share }) => [
      code(listener.name),
      code(vhost?.domains.join(', ') ?? ''),
      `${share}%`,
      code(describe(partyOf(route.policy))),
      code(whereText(partyOf(route.policy))),
    ]),
    ...(rest > 0 ? [[code(listener.name), code(vhost?.domains.join(', ') ?? ''), `${rest}%`, 'nobody', '']] : []),
  ]);
  const dropped = unserved.map((verdict) => [code(describe(verdict.object)), escaped(sentenceOf(verdict))]);
  const { length } = problems;
  const sections = [
    answers ? markdownTable(['listener', 'host', 'share', 'object', 'file'], served) : routeRows(routes),
    ...(dropped.length > 0 ? [folded('not served', markdownTable(['object', 'why'], dropped))] : []),
    ...(length > 0
      ? [
          `**${length} unreadable:** ${problems.map(({ file, message }) => `${code(file)} ${escaped(message)}`).join('<br>')}\n`,
        ]
      : []),
    ...notes.map((note) => `_${escaped(note)}_\n`),
  ];
  return fitted(sections.join('\n'));
}

/** `plumbline diff` as a pull-request comment. */
export function markdownDiff({ diff: { added, changed, lost }, report }: DiffResult): string {
  const changes = changed.map(({ before, after, fields }) => [
    code(`${after.host} ${matchText(after)}`),
    fields.join(', '),
    people(before),
    people(after),
  ]);
  const changedTable = markdownTable(['route', 'changed', 'before', 'after'], changes.slice(0, MAX_ROUTES));
  const sections = [
    '## Plumbline: what this changes on the edge\n',
    `**routes: ${added.length} new, ${changed.length} changed, ${lost.length} lost**\n`,
    ...(added.length > 0 ? [`### New routes\n\n${routeRows(added)}`] : []),
    ...(changed.length > 0 ? [`### Changed routes\n\n${changedTable}${more(changed.length)}`] : []),
    ...(lost.length > 0 ? [`### Lost routes\n\n${routeRows(lost)}`] : []),
    `### New findings\n\n${reportSections(report)}`,
  ];
  return fitted(sections.join('\n'));
}

function routeRows(routes: readonly TableRoute[]): string {
  const rows = routes
    .slice(0, MAX_ROUTES)
    .map((route) => [
      code(route.host),
      code(matchText(route)),
      people(route),
      tlsText(route),
      route.members.map(({ statsName }) => code(statsName)).join('<br>'),
    ]);
  return markdownTable(['host', 'match', 'served by', 'TLS', 'stats name'], rows) + more(routes.length);
}

function more(count: number): string {
  return count > MAX_ROUTES ? `\n…and ${count - MAX_ROUTES} more.\n` : '';
}

function people(route: TableRoute): string {
  return linesOf(route)
    .map(({ weight, service, object }) => {
      return `${weight} ${code(service)} ${escaped(ownerText(object))} ${code(whereText(object))}`.trim();
    })
    .join('<br>');
}
