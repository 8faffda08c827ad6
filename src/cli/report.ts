import type { Finding, Party, Severity } from '../edge/finding.ts';
import type { RenderProblem } from '../render/declared.ts';
import { plural } from '../plural.ts';

/** What a command found, before anybody writes it in some form. */
export interface Report {
  /** Those to show, worst first. */
  readonly findings: readonly Finding[];
  /** Found, but below what is to be shown. */
  readonly hidden: number;
  /** Files that could not be read as manifests. */
  readonly problems: readonly RenderProblem[];
  /** What the reader should know about how it was judged, one sentence each. */
  readonly notes: readonly string[];
}

/** `2 errors, 1 warning`; `no findings`. */
export function countsOf(findings: readonly Finding[]): string {
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const parts = [
    counted(count('error'), 'error'),
    counted(count('warning'), 'warning'),
    counted(count('info'), 'info', 'info'),
  ];
  return parts.filter((part) => part !== undefined).join(', ') || 'no findings';
}

function counted(count: number, one: string, many?: string): string | undefined {
  return count === 0 ? undefined : plural(count, one, many);
}

/** `file:line`, or undefined for an object that is only live. */
export function placeOf({ origin: { file, line } }: Pick<Party, 'origin'>): string | undefined {
  return file === undefined ? undefined : `${file}${line === undefined ? '' : `:${line}`}`;
}

/** Its file and line, or what is to be said in their place. */
export function whereOf(object: Pick<Party, 'origin'>, live = 'live in the cluster'): string {
  return placeOf(object) ?? object.origin.instead ?? live;
}

/** The requests that a finding is about: `GET,PUT shop.example.com /cart/`. */
export function trafficText({ traffic }: Finding): string | undefined {
  if (!traffic) return undefined;
  const { host, path, methods } = traffic;
  const text = [methods?.join(','), host, path].filter((part) => part !== undefined && part !== '').join(' ');
  return text || undefined;
}
