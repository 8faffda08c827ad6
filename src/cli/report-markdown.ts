import type { Finding, Party, Severity } from '../edge/finding.ts';
import { describe } from '../edge/party.ts';
import type { RenderProblem } from '../render/declared.ts';
import { code, escaped, fitted, folded, markdownTable } from './markdown.ts';
import { countsOf, whereOf, trafficText, type Report } from './report.ts';

const MARKS = { error: '🔴', warning: '🟡', info: '🔵' } as const satisfies Record<Severity, string>;

/** More would not be read; the rest is said to be missing. */
const MAX_FINDINGS = 50;

/** A pull-request comment. */
export function markdownReport(report: Report, title = 'Plumbline: the edge'): string {
  return fitted(`## ${title}\n\n${reportSections(report)}`);
}

export function reportSections({ findings, problems, notes }: Report): string {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const others = findings.filter(({ severity }) => severity !== 'error');
  return [
    `**${countsOf(findings)}**\n`,
    ...(problems.length > 0 ? [`### Files that could not be read\n\n${problemTable(problems)}`] : []),
    ...(errors.length > 0 ? [findingTable(errors)] : []),
    ...(others.length > 0 ? [folded(countsOf(others), findingTable(others))] : []),
    ...notes.map((note) => `_${escaped(note)}_\n`),
  ].join('\n');
}

function findingTable(findings: readonly Finding[]): string {
  const rows = findings
    .slice(0, MAX_FINDINGS)
    .map((finding) => [
      `${MARKS[finding.severity]} ${finding.rule}`,
      [party(finding.object), ...(finding.other ? [`with ${party(finding.other)}`] : [])].join('<br>'),
      `${escaped(finding.message)}<br>**Mend:** ${escaped(finding.mend)}`,
      code(trafficText(finding) ?? ''),
    ]);
  const rest = findings.length - rows.length;
  return `${markdownTable(['rule', 'object', 'finding', 'traffic'], rows)}${rest > 0 ? `\n…and ${rest} more.\n` : ''}`;
}

function party(object: Party): string {
  const { source } = object.origin;
  const owner = source === undefined ? '' : ` (${escaped(source)})`;
  return `${code(describe(object))}<br>${code(whereOf(object))}${owner}`;
}

function problemTable(problems: readonly RenderProblem[]): string {
  const rows = problems
    .slice(0, MAX_FINDINGS)
    .map(({ code: name, file, line, message }) => [
      code(`${file}${line === undefined ? '' : `:${line}`}`),
      code(name),
      escaped(message),
    ]);
  return markdownTable(['file', 'error', 'message'], rows);
}
