import type { Finding, Severity } from '../edge/finding.ts';
import { isMade } from '../edge/party.ts';
import type { Judgement } from './judgement.ts';

/**
 * Rules that find something missing, and the kinds of which at least one object must be among the files before its absence
 * says much: a team's repository rarely holds the Listeners and Services of everybody.
 */
const ABSENCE: Readonly<Record<string, readonly string[]>> = {
  EM030: ['Host'],
  EM031: ['Host'],
  EM037: ['Listener'],
  EM038: ['Host', 'TCPMapping'],
  EM046: ['Service'],
  EM052: ['TLSContext'],
  EM063: ['TLSContext'],
  EM071: ['Host'],
  EM076: ['Host', 'TLSContext'],
  EM087: ['Module'],
};

const MILDER = { error: 'warning', warning: 'info', info: 'info' } as const satisfies Record<Severity, Severity>;

/** The findings of files that may not be the whole edge: what another repository may hold is one step milder, and says so. */
export function tempered({ edge, input, findings }: Judgement): Finding[] {
  // What is made of an Ingress says nothing of what others write.
  const written = edge.policies.filter((policy) => !isMade(policy));
  const kinds = new Set([...input.objects.map(({ object }) => object.kind), ...written.map(({ kind }) => kind)]);
  return findings.map((finding) => {
    const needed = Object.hasOwn(ABSENCE, finding.rule) ? ABSENCE[finding.rule]! : [];
    if (needed.length === 0 || needed.some((kind) => kinds.has(kind))) return finding;
    const message = `${finding.message} (no ${needed.join(' or ')} is among these files: another repository may hold it)`;
    return { ...finding, message, severity: MILDER[finding.severity] };
  });
}
