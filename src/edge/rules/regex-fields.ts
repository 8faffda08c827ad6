import { aboutPolicies } from '../facts.ts';
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

const VALUES = ['regex_headers', 'regex_query_parameters'];
const PATTERNS = ['regex_rewrite', 'regex_redirect'];

/** Without any of these there is no regular expression. */
export const REGEX_FIELDS: readonly string[] = [...SWITCHED.map(([, flag]) => flag), ...VALUES, ...PATTERNS];

export const regexesOf = aboutPolicies.remembered((policy: Policy): readonly RegexField[] => {
  const found: RegexField[] = [];
  addSwitched(policy.spec, found);
  for (const field of VALUES) addValues(policy.spec, field, found);
  for (const field of PATTERNS) {
    const text = textAt(policy.spec, field, 'pattern') ?? (isWritten(policy.spec, field) ? '' : undefined);
    if (text !== undefined) found.push({ field: `${field}.pattern`, text });
  }
  return found;
});

/** Emissary writes an empty pattern where there is none: of a rewrite that is there at all, of a redirect with anything in it. */
function isWritten(spec: Spec, field: string): boolean {
  if (field === 'regex_rewrite') return Object.hasOwn(spec, field) && !isTrueAt(spec, 'host_redirect');
  if (!isTrueAt(spec, 'host_redirect') || Object.keys(recordAt(spec, field)).length === 0) return false;
  return !Object.hasOwn(spec, 'path_redirect') && !Object.hasOwn(spec, 'prefix_redirect');
}

function addSwitched(spec: Spec, found: RegexField[]): void {
  for (const [field, flag] of SWITCHED) {
    if (!isTrueAt(spec, flag)) continue;
    const text = textAt(spec, field);
    // Without a text no host is asked for at all.
    if (text !== undefined && !(text === '' && field === 'host')) found.push({ field, text });
  }
}

function addValues(spec: Spec, field: string, found: RegexField[]): void {
  if (!Object.hasOwn(spec, field)) return;
  for (const [name, text] of Object.entries(recordAt(spec, field))) {
    if (typeof text === 'string') found.push({ field: `${field}.${name}`, text });
  }
}
