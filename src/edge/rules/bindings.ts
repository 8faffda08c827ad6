import type { Hit, Judged, Rule } from '../finding.ts';
import { describe, partyOf } from '../party.ts';

export const BINDING_RULES: readonly Rule[] = [
  {
    id: 'EM037',
    name: 'host-not-bound',
    severity: 'error',
    impact: 'no-effect',
    when: 'No Listener binds a Host, by namespace or labels.',
    means: 'Nothing of the Host is served.',
    mend: 'Let a Listener bind it: `hostBinding.namespace.from: ALL`, or the labels of its selector on the Host.',
    find: ({ edge }) => dropped(edge, 'Host', 'unattached', 'is served nowhere'),
  },
  {
    id: 'EM038',
    name: 'idle-listener',
    severity: 'warning',
    impact: 'no-effect',
    when: 'A Listener binds no Host and no TCPMapping.',
    means: 'Its port is not opened.',
    mend: 'Mend its hostBinding, or remove it.',
    find: ({ edge }) => dropped(edge, 'Listener', 'unattached', 'is not opened'),
  },
  {
    id: 'EM039',
    name: 'listener-dup',
    severity: 'error',
    impact: 'drop',
    when: 'Two Listeners have the same socket protocol, address and port.',
    means: 'The first in the compiler’s order is kept, the others are dropped with their bindings.',
    mend: 'Keep one, and let it bind the Hosts of both.',
    find: ({ edge }) => dropped(edge, 'Listener', 'duplicate', 'is dropped'),
  },
];

function* dropped(edge: Judged['edge'], kind: string, reason: string, outcome: string): Iterable<Hit> {
  for (const { policy, reason: why, message, by } of edge.drops) {
    if (policy.kind !== kind || why !== reason) continue;
    const object = partyOf(policy);
    yield { object, ...(by && { other: partyOf(by) }), message: `${describe(object)} ${outcome}: ${message}` };
  }
}
