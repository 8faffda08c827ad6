import type { NewCondition } from '../api/conditions.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import type { Finding, Party, Severity } from '../edge/finding.ts';
import type { Setback, Setbacks } from '../edge/setbacks.ts';
import { sayFinding } from '../edge/verdict.ts';
import { shorten, type EdgeSetback } from '../report/sentences.ts';
import type { Judged } from './judgements.ts';
import type { Tally } from './tally.ts';

type EdgeStatus = NonNullable<GitOpsSourceStatus['edge']>;
type EdgeFinding = EdgeStatus['findings'][number];

/** The edge from the side of one source. */
export interface EdgeReport {
  readonly tally: Tally;
  readonly errors: number;
  readonly warnings: number;
  readonly infos: number;
  /** The worst ones. */
  readonly findings: readonly Finding[];
  readonly setbacks: Setbacks;
}

/** What one source has on the judged edges, and what is wrong with it: findings about its objects, or that it is a party to. */
export function reportOf(source: string, edges: readonly Judged[]): EdgeReport {
  const tally = { routes: 0, hosts: 0, members: 0 };
  const setbacks = { count: 0, first: [] as Setback[] };
  for (const { tallies, setbacks: found } of edges) {
    const { count, first } = found.get(source) ?? NO_SETBACKS;
    setbacks.count += count;
    setbacks.first.push(...first);
    const { routes, hosts, members } = tallies.get(source) ?? { routes: 0, hosts: 0, members: 0 };
    tally.routes += routes;
    tally.hosts += hosts;
    tally.members += members;
  }
  const findings = edges.flatMap((edge) => edge.findings.filter((finding) => isAbout(finding, source)));
  const count = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, infos] = [count('error'), count('warning'), count('info')];
  // Each gateway's come with the worst first; of several, so do all together.
  const order = ['error', 'warning', 'info'];
  findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return { tally, errors, warnings, infos, findings: findings.slice(0, STATUS_LIMITS.edgeFindings), setbacks };
}

function isAbout({ object, other }: Finding, source: string): boolean {
  return object.origin.source === source || other?.origin.source === source;
}

/** `status.edge`; `blockedBy`: what stops the newest commit stands first. */
export function edgeStatusOf(report: EdgeReport | null, blockedBy: readonly Finding[]): EdgeStatus | undefined {
  if (!report && blockedBy.length === 0) return undefined;
  const { tally, errors, warnings, infos, findings, setbacks } = report ?? NOTHING;
  const blocking = (severity: Severity) => blockedBy.filter((finding) => finding.severity === severity).length;
  const shown = [...blockedBy.map((one) => ({ ...findingOf(one), blocks: true })), ...findings.map(findingOf)];
  return {
    ...tally,
    errors: errors + blocking('error'),
    warnings: warnings + blocking('warning'),
    infos: infos + blocking('info'),
    findings: shown.slice(0, STATUS_LIMITS.edgeFindings),
    ...(setbacks.count > 0 && {
      setbacks: {
        count: setbacks.count,
        objects: setbacks.first.slice(0, STATUS_LIMITS.edgeSetbacks).map(setbackOf),
      },
    }),
  };
}

const NO_SETBACKS: Setbacks = { count: 0, first: [] };

const NOTHING: EdgeReport = {
  tally: { routes: 0, hosts: 0, members: 0 },
  errors: 0,
  warnings: 0,
  infos: 0,
  findings: [],
  setbacks: NO_SETBACKS,
};

/** The condition EdgeHealthy; undefined: the source has nothing on the edge. */
export function edgeConditionOf(
  report: EdgeReport | null,
  blocked: { message: string } | undefined,
  source: string,
): NewCondition | undefined {
  const said = (status: NewCondition['status'], reason: string, message: string): NewCondition => ({
    type: 'EdgeHealthy',
    status,
    reason,
    message: shorten(message, STATUS_LIMITS.conditionMessage),
  });
  if (blocked) return said('False', 'EdgeBlocked', blocked.message);
  if (!report) return undefined;
  const [worst] = report.findings;
  const { routes, hosts } = report.tally;
  if (report.errors > 0)
    return said('False', 'EdgeFindings', `${report.errors} errors; the first: ${sayFinding(worst!, source)}`);
  const warned = report.warnings > 0 ? `, ${report.warnings} warnings` : '';
  return said('True', 'EdgeSound', `${routes} routes, ${hosts} hosts${warned}`);
}

/** As the status shows it. */
export function findingOf(finding: Finding): EdgeFinding {
  const { rule, severity, object, other, traffic, message, mend } = finding;
  return {
    rule,
    severity,
    ...partyOf(object),
    ...(other && { other: partyOf(other) }),
    ...(traffic?.host !== undefined && { host: traffic.host }),
    ...(traffic?.path !== undefined && { path: traffic.path }),
    message,
    mend,
  };
}

function setbackOf({ object, state, message }: Setback): EdgeSetback {
  const { source: _, ...own } = partyOf(object);
  return { ...own, state, message };
}

/** Names come from annotations too, so they may be of any length. */
function partyOf({ kind, namespace, name, origin }: Party) {
  const { source, file, line } = origin;
  return {
    kind: shorten(kind, 63),
    ...(namespace !== '' && { namespace: shorten(namespace, 63) }),
    name: shorten(name, 253),
    ...(source !== undefined && { source }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  };
}
