import { createHash } from 'node:crypto';
import type { Finding, Party, Rule } from '../edge/finding.ts';
import { describe } from '../edge/party.ts';
import type { RenderProblem } from '../render/declared.ts';
import { trafficText, type Report } from './report.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0 (OASIS, 2020): one run; `rules` are those that may occur. Files are named from where the command was started. */
export function sarifReport(report: Report, rules: readonly Omit<Rule, 'find'>[], version: string) {
  const indexOf = new Map(rules.map(({ id }, index) => [id, index]));
  const driver = { name: 'plumbline', version, rules: rules.map(descriptorOf) };
  // GitHub refuses a whole run for one result without a file.
  const isInFiles = ({ object, other }: Finding) => (object.origin.file ?? other?.origin.file) !== undefined;
  const live = report.findings.filter((finding) => !isInFiles(finding));
  const invocation = {
    executionSuccessful: report.problems.length === 0,
    toolExecutionNotifications: [
      ...report.problems.map(problemNotification),
      ...live.map(liveNotification),
      ...report.notes.map(noteNotification),
    ],
  };
  const results = report.findings.filter(isInFiles).map((finding) => resultOf(finding, indexOf.get(finding.rule)));
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', invocations: [invocation], results }],
  };
}

function descriptorOf({ id, name, severity, impact, when, means, mend }: Omit<Rule, 'find'>) {
  return {
    id,
    name,
    shortDescription: { text: when },
    fullDescription: { text: means },
    help: { text: `${means} ${mend}` },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { impact },
  };
}

function resultOf(finding: Finding, ruleIndex: number | undefined) {
  const { rule, severity, impact, object, other, message, mend, key } = finding;
  const traffic = trafficText(finding);
  return {
    ruleId: rule,
    ...(ruleIndex !== undefined && { ruleIndex }),
    level: LEVELS[severity],
    message: { text: `${message}. ${mend}` },
    locations: [locationOf(object, other)],
    ...(other?.origin.file !== undefined && {
      relatedLocations: [{ id: 1, ...locationOf(other), message: { text: describe(other) } }],
    }),
    partialFingerprints: { 'plumblineKey/v1': createHash('sha256').update(key).digest('hex') },
    properties: { impact, ...(traffic !== undefined && { traffic }) },
  };
}

/** An object that is only live has no file: people are shown that of the other party. */
function locationOf(object: Party, other?: Party) {
  const { file, line } = object.origin.file === undefined && other ? other.origin : object.origin;
  return {
    ...(file !== undefined && { physicalLocation: physical(file, line) }),
    logicalLocations: [{ fullyQualifiedName: describe(object), kind: 'resource' }],
  };
}

function physical(file: string, line: number | undefined) {
  // Segment by segment, so that slashes stay; a colon in the first one would read as a scheme.
  const uri = file.split('/').map(encodeURIComponent).join('/');
  return { artifactLocation: { uri }, ...(line !== undefined && { region: { startLine: line } }) };
}

function problemNotification({ code, file, line, message }: RenderProblem) {
  return {
    level: 'error',
    descriptor: { id: code },
    message: { text: message },
    locations: [{ physicalLocation: physical(file, line) }],
  };
}

function liveNotification({ rule, severity, message, mend }: Finding) {
  return { level: LEVELS[severity], associatedRule: { id: rule }, message: { text: `${message}. ${mend}` } };
}

function noteNotification(note: string) {
  return { level: 'note', message: { text: note } };
}
