import type { Finding, Party, Severity } from '../edge/finding.ts';
import { describe } from '../edge/party.ts';
import type { RenderProblem } from '../render/declared.ts';
import { countsOf, whereOf, trafficText, type Report } from './report.ts';
import { printable, type Paint } from './terminal.ts';
import { plural } from '../plural.ts';

const COLOURS = { error: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<Severity, string>;

/** For a terminal or a log: problems, then findings, then one line that counts. */
export function humanReport(report: Report, paint: Paint): string {
  const blocks = [
    ...report.problems.map((problem) => problemLine(problem, paint)),
    ...report.findings.map((finding) => findingBlock(finding, paint)),
  ];
  return [...blocks, ...report.notes.map((note) => paint('dim', printable(note))), summary(report, paint)].join('\n');
}

export function problemLine({ code, file, line, message }: RenderProblem, paint: Paint): string {
  const place = `${file}${line === undefined ? '' : `:${line}`}`;
  return `${paint('red', 'unreadable')} ${paint('bold', code)}  ${printable(place)}\n  ${printable(message)}`;
}

function findingBlock(finding: Finding, paint: Paint): string {
  const { severity, rule, object, other, message, impact, mend } = finding;
  const traffic = trafficText(finding);
  return [
    `${paint(COLOURS[severity], severity)} ${paint('bold', rule)} ${party(object, paint)}`,
    `  ${printable(message)}`,
    ...(other ? [`  ${paint('dim', 'other: ')} ${party(other, paint)}`] : []),
    ...(traffic === undefined ? [] : [`  ${paint('dim', 'hits:  ')} ${printable(traffic)} (${impact})`]),
    `  ${paint('dim', 'mend:  ')} ${printable(mend)}`,
  ].join('\n');
}

function party(object: Party, paint: Paint): string {
  const { source } = object.origin;
  const place = whereOf(object);
  return `${printable(describe(object))}  ${paint('cyan', printable(place))}${source === undefined ? '' : ` (${printable(source)})`}`;
}

function summary({ findings, hidden, problems }: Report, paint: Paint): string {
  const parts = [
    countsOf(findings),
    ...(hidden > 0 ? [`${hidden} below --show not printed`] : []),
    ...(problems.length > 0 ? [`${plural(problems.length, 'problem')} in files that could not be read`] : []),
  ];
  return paint('bold', parts.join('; '));
}
