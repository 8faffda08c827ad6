import type { TableRoute } from '../edge/route-table.ts';
import type { ChangedRoute, DiffResult } from './diff.ts';
import { humanReport } from './report-human.ts';
import { linesOf, matchText, ownerText, tlsText, whereText } from './route-text.ts';
import { printable, type Paint } from './terminal.ts';

/** New, changed and lost routes, then the findings that come with them. */
export function humanDiff({ diff: { added, changed, lost }, report }: DiffResult, paint: Paint): string {
  const blocks = [
    ...added.map((route) => block('green', '+', route, paint)),
    ...changed.map((change) => changeBlock(change, paint)),
    ...lost.map((route) => block('red', '-', route, paint)),
  ];
  const counts = `routes: ${added.length} new, ${changed.length} changed, ${lost.length} lost`;
  return [...blocks, paint('bold', counts), humanReport(report, paint)].join('\n');
}

function block(style: 'green' | 'red', mark: string, route: TableRoute, paint: Paint): string {
  return [`${paint(style, `${mark} ${heading(route)}`)}  ${tlsText(route)}`, ...servedBy(route, '    ', paint)].join(
    '\n',
  );
}

function changeBlock({ before, after, fields }: ChangedRoute, paint: Paint): string {
  const tls = fields.includes('TLS') ? [`    TLS: ${tlsText(before)} → ${tlsText(after)}`] : [];
  const ports = fields.includes('ports') ? [`    ports: ${before.ports.join(', ')} → ${after.ports.join(', ')}`] : [];
  return [
    `${paint('yellow', `~ ${heading(after)}`)}  ${fields.join(', ')}`,
    ...tls,
    ...ports,
    ...servedBy(before, `    ${paint('red', '-')} `, paint),
    ...servedBy(after, `    ${paint('green', '+')} `, paint),
  ].join('\n');
}

function heading(route: TableRoute): string {
  return printable(`${route.host} ${matchText(route)}`);
}

function servedBy(route: TableRoute, indent: string, paint: Paint): string[] {
  const stats = new Map(route.members.map(({ object, statsName }) => [object, statsName]));
  return linesOf(route).map(({ weight, service, object }) => {
    const statsName = stats.get(object);
    const named = statsName === undefined ? '' : `  stats ${printable(statsName)}`;
    const owner = `${printable(ownerText(object))}  ${paint('cyan', printable(whereText(object)))}`;
    return `${indent}${weight.padEnd(4)} ${printable(service)}${named}  ${owner}`;
  });
}
