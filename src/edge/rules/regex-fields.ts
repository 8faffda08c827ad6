import type { Policy, Spec } from '../model.ts';
import { isTrueAt, recordAt, textAt } from '../spec.ts';

/** A regular expression of a Mapping that reaches Envoy, and the field that it stands in. */
export interface RegexField {
  readonly field: string;
  readonly text: string;
}

/** The text of a field is a regular expression only when another one says so. */
const SWITCHED = [
  ['prefix', 'prefix_regex'],
  ['host', 'host_regex'],
  ['method', 'method_regex'],
] as const;

const remembered = new WeakMap<Policy, readonly RegexField[]>();

export function regexesOf(policy: Policy): readonly RegexField[] {
  const known = remembered.get(policy);
  if (known) return known;
  const fields = [...find(policy.spec)];
  remembered.set(policy, fields.length === 0 ? NONE : fields);
  return fields;
}

const NONE: readonly RegexField[] = [];

function* find(spec: Spec): Iterable<RegexField> {
  for (const [field, flag] of SWITCHED) {
    const text = textAt(spec, field);
    if (text !== undefined && isTrueAt(spec, flag)) yield { field, text };
  }
  for (const field of ['regex_headers', 'regex_query_parameters']) {
    for (const [name, text] of Object.entries(recordAt(spec, field))) {
      if (typeof text === 'string') yield { field: `${field}.${name}`, text };
    }
  }
  for (const field of ['regex_rewrite', 'regex_redirect']) {
    const text = textAt(spec, field, 'pattern');
    if (text !== undefined) yield { field: `${field}.pattern`, text };
  }
}
