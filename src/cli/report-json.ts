import type { Finding } from '../edge/finding.ts';
import type { Report } from './report.ts';

/** The report as data. `key` of a finding is equal for the same trouble in two runs. */
export function jsonReport({ findings, hidden, problems, notes }: Report) {
  const count = (severity: Finding['severity']) => findings.filter((finding) => finding.severity === severity).length;
  const summary = { errors: count('error'), warnings: count('warning'), infos: count('info'), hidden };
  return { summary, findings, problems, notes };
}

/** As it is printed. int64 of a policy stays a number. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) => (typeof child === 'bigint' ? Number(child) : child), 2);
}
