import { standing } from './dropped.ts';
import { policiesWith } from './rules/each.ts';
import type { Edge, Policy } from './model.ts';
import { textAt } from './spec.ts';
import { secretNamed } from './secrets.ts';
import { contextOf, secretNamespacing, writtenTls } from './tls-written.ts';

/** A Secret that a policy names, where the compiler looks for it. */
export interface SecretUse {
  readonly policy: Policy;
  /** `tlsSecret` of a Host, else as a TLSContext spells it. */
  readonly field: 'tlsSecret' | 'secret' | 'ca_secret' | 'crl_secret';
  /** As written, when a dot in it may stand before a namespace. */
  readonly written: string;
  readonly name: string;
  readonly namespace: string;
}

/** Every use of a Secret by a Host or a TLSContext. */
export function* secretUses(edge: Edge): Iterable<SecretUse> {
  for (const policy of standing(edge, 'Host')) {
    const name = textAt(policy.spec, 'tlsSecret', 'name');
    const namespace = textAt(policy.spec, 'tlsSecret', 'namespace') || policy.namespace;
    if (name) yield { policy, field: 'tlsSecret', written: name, name, namespace };
  }
  const namespacing = secretNamespacing(edge);
  for (const { policy, fields } of writtenTls(edge)) {
    const { kind, namespace } = policy;
    // A Host whose Secret has a namespace of its own makes the dot count in the others too (ir/irhost.py).
    const forced = kind === 'Host' && textAt(policy.spec, 'tlsSecret', 'namespace');
    const spec = forced ? { ...fields, secret_namespacing: true } : fields;
    for (const field of ['secret', 'ca_secret', 'crl_secret'] as const) {
      const written = textAt(fields, field);
      if (!written || (field === 'secret' && kind === 'Host')) continue;
      yield { policy, field, written, ...secretNamed(written, { namespace, spec }, namespacing) };
    }
  }
}

const mayRefer = policiesWith(
  ['Host', 'Mapping', 'TCPMapping', 'AuthService', 'RateLimitService'],
  ['tls', 'tlsSecret'],
);

/** Whoever refers to a TLS context by name: Hosts to terminate TLS, the others to originate it. */
export function* contextReferences(edge: Edge): Iterable<readonly [name: string, policy: Policy]> {
  for (const policy of mayRefer(edge)) {
    const name = policy.kind === 'Host' ? contextOf(policy) : textAt(policy.spec, 'tls');
    if (name) yield [name, policy];
  }
}

/** A policy beside the TLSContext or the Host whose TLS context it uses. */
export interface ContextUse {
  readonly policy: Policy;
  readonly context: Policy;
}

export function* contextUses(edge: Edge): Iterable<ContextUse> {
  const declared = new Map([...standing(edge, 'TLSContext')].map((policy) => [policy.storedName, policy]));
  for (const [name, policy] of contextReferences(edge)) {
    const context = declared.get(name) ?? edge.contexts.get(name)?.policy;
    if (context && context !== policy) yield { policy, context };
  }
}
