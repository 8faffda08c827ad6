import type { EdgeInput } from './input.ts';
import type { Edge, Policy, Spec } from './model.ts';
import { standing } from './dropped.ts';
import { hostTls } from './host-tls.ts';
import { Secrets } from './secrets.ts';
import { textAt, valueAt } from './spec.ts';
import { moduleIn } from './upstream.ts';

/** A TLS setting as somebody writes it: a TLSContext, or the `tls` of a Host. */
export interface WrittenTls {
  readonly policy: Policy;
  /** Fields as a TLSContext spells them. */
  readonly fields: Spec;
}

/** Every TLS setting, in the compiler's order. */
export function* writtenTls(edge: Edge): Iterable<WrittenTls> {
  for (const policy of standing(edge, 'TLSContext')) yield { policy, fields: policy.spec };
  for (const policy of standing(edge, 'Host')) {
    const fields = hostTls(policy.spec);
    if (fields) yield { policy, fields };
  }
}

/** `h1-context`: a TLSContext of this name is taken by a Host that has a secret and names no other. */
export function implicitContextName(host: Policy): string {
  return `${host.storedName}-context`;
}

/** The TLSContext that a Host asks for by name; undefined: none, or it has no secret, without which none is looked at. */
export function namedContext({ spec }: Policy): string | undefined {
  return textAt(spec, 'tlsSecret', 'name') ? textAt(spec, 'tlsContext', 'name') || undefined : undefined;
}

/** Does a Host take the TLSContext of its implicit name, if there is one? */
export function takesImplicit({ spec }: Policy): boolean {
  return Boolean(textAt(spec, 'tlsSecret', 'name')) && !textAt(spec, 'tlsContext', 'name') && !hostTls(spec);
}

/** The TLS context that a Host looks for: the named one, or that of its implicit name, if there is one. */
export function contextOf(host: Policy): string | undefined {
  return namedContext(host) ?? (takesImplicit(host) ? implicitContextName(host) : undefined);
}

/** Does a dot in the name of a Secret stand before its namespace, where a TLSContext says nothing of it? */
export function secretNamespacing(edge: Edge): boolean {
  return (valueAt(moduleIn(edge)?.spec, 'config', 'defaults', 'tls_secret_namespacing') ?? true) !== false;
}

const byInput = new WeakMap<EdgeInput, Secrets>();

/** The Secrets of an input as the compiler finds them. */
export function secretsOf(input: EdgeInput): Secrets {
  const known = byInput.get(input) ?? new Secrets(input);
  byInput.set(input, known);
  return known;
}
