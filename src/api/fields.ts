import * as z from 'zod';

// Building blocks of our schemas. Each check stands twice, once for zod and once as what the API server understands (a
// keyword of OpenAPI or a CEL rule), written side by side so that the two cannot part. test/crd-samples.test.ts feeds
// both with one table and expects one verdict.

/** One rule: `cel` is what the API server evaluates, `holds` the same for us, `message` what a person reads from either. */
export interface Rule<T> {
  cel: string;
  holds: (value: T) => boolean;
  message: string;
  /** The child field that the message is about, when the rule stands on an object. */
  field?: string;
}

/** Adds rules to a schema, for zod and for the CRD. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: Rule<z.output<S>>[]): S {
  const known = schema.meta()?.['x-kubernetes-validations'];
  const validations = Array.isArray(known) ? [...(known as unknown[])] : [];
  let checked = schema;
  for (const { cel, holds, message, field } of rules) {
    validations.push({ rule: cel, message, ...(field && { fieldPath: `.${field}` }) });
    checked = checked.refine(holds, { error: message, ...(field && { path: [field] }) });
  }
  return checked.meta({ ...schema.meta(), 'x-kubernetes-validations': validations });
}

/** A pattern as a CEL string. RE2 knows no flags of JavaScript, and a raw string of CEL no quotes. */
export function celPattern(pattern: RegExp): string {
  if (pattern.flags !== '') throw new Error(`CEL cannot say the flags of ${String(pattern)}`);
  if (pattern.source.includes("'")) throw new Error(`a pattern for CEL holds no single quote: ${String(pattern)}`);
  return `r'${pattern.source}'`;
}

/** A string matches. `pattern` must mean the same to JavaScript and RE2: no flags, no look-around. */
export function matching(pattern: RegExp, message: string): Rule<string> {
  return { cel: `self.matches(${celPattern(pattern)})`, holds: (value) => pattern.test(value), message };
}

/** A string does not match, see `matching`. */
export function notMatching(pattern: RegExp, message: string): Rule<string> {
  return { cel: `!self.matches(${celPattern(pattern)})`, holds: (value) => !pattern.test(value), message };
}

const DURATION = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/;
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration as Go and Flux write it: `15s`, `1h30m`, `1.5m`. Throws a RangeError on anything else. */
export function durationMs(duration: string): number {
  if (!DURATION.test(duration)) throw new RangeError(`not a duration: ${duration}`);
  let total = 0;
  for (const [, number, unit] of duration.matchAll(/([0-9.]+)(ms|s|m|h)/g)) total += Number(number) * UNIT_MS[unit!]!;
  return total;
}

/** A duration field between two durations, both allowed. */
export function duration(least: string, most: string, description: string): z.ZodString {
  const example = 'such as 15s, 5m or 1h30m';
  return withRules(z.string().max(32).meta({ description }), {
    cel:
      `self.matches(${celPattern(DURATION)}) && duration(self) >= duration('${least}') && ` +
      `duration(self) <= duration('${most}')`,
    holds: (value) =>
      DURATION.test(value) && durationMs(value) >= durationMs(least) && durationMs(value) <= durationMs(most),
    message: `must be a duration from ${least} to ${most}, ${example}`,
  });
}

/** The name of most objects (RFC 1123 subdomain). */
export function objectName(description: string): z.ZodString {
  return z
    .string()
    .max(253)
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      'must be the name of an object: lower-case letters, digits, "-" and "."',
    )
    .meta({ description });
}

/** The name of a namespace (RFC 1123 label). */
export function namespaceName(description: string): z.ZodString {
  return z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be the name of a namespace: lower-case letters, digits and "-"')
    .meta({ description });
}

/** A plain string of bounded length. */
export function text(maxLength: number, description: string): z.ZodString {
  return z.string().max(maxLength).meta({ description });
}

/** A point in time as the API server writes it (RFC 3339). */
export function time(description: string): z.ZodString {
  return z.string().meta({ description, format: 'date-time' });
}

/** A number of things. */
export function count(description: string): z.ZodInt {
  return z.int().min(0).max(2_147_483_647).meta({ description, format: 'int32' });
}
