// What is written in the fields of a policy, before any of it means anything: versions, names, types.
import { conformityOf, type Conformity } from '../conformity.ts';
import { aboutPolicies } from '../facts.ts';
import type { Hit, Judged } from '../finding.ts';
import type { Policy } from '../model.ts';
import { ID_MANGLE, NO_HOST } from '../normalise.ts';
import { describe, isMade, partyOf } from '../party.ts';
import { schemaOf, versionOf } from '../schemas.ts';
import { policiesThat } from './each.ts';
import { hasScalar, isRecord, isTrueAt, recordAt, textAt } from '../spec.ts';

/** So many of one sort are named of one object: the rest is the same trouble. */
const MOST = 20;

const CURRENT = 'getambassador.io/v3alpha1';

const inOldVersions = policiesThat('every', ({ written: { apiVersion, kind } }) => {
  const version = versionOf(apiVersion);
  return version !== 'v3alpha1' || !schemaOf(kind, version);
});

export function* notServed({ edge, guard, input }: Judged): Iterable<Hit> {
  const { version: emissary } = input.settings;
  const servesOld = Number.parseInt(emissary, 10) < 4;
  for (const policy of guard.servedVersions?.has(CURRENT) === false ? edge.policies : inOldVersions(edge)) {
    if (policy.parent) continue;
    const { apiVersion, kind } = policy.written;
    const version = versionOf(apiVersion);
    if (!schemaOf(kind, version)) {
      yield writtenIn(policy, `in which there is no ${kind}`);
    } else if (guard.servedVersions) {
      const isServed = guard.servedVersions.size === 0 || guard.servedVersions.has(apiVersion);
      if (!isServed) yield writtenIn(policy, 'which the cluster does not serve');
    } else if (version !== 'v3alpha1' && !servesOld) {
      const why = `which Emissary ${emissary} serves only when older versions are enabled`;
      yield { ...writtenIn(policy, why), severity: 'warning' };
    }
  }
}

function writtenIn(policy: Policy, why: string): Hit {
  const object = partyOf(policy);
  return { object, message: `${describe(object)} is written in ${policy.written.apiVersion}, ${why}` };
}

/** The version whose spelling is taken for this one's. */
function otherOf(version: string): string {
  return version === 'v3alpha1' ? 'v2' : 'v3alpha1';
}

/** Is there anything at all that its schema does not take? */
export function isIrregular(policy: Policy): boolean {
  const { violations, unknown } = conformityOfPolicy(policy);
  return violations.length > 0 || unknown.length > 0;
}

export function mayBeOfOtherVersion(policy: Policy): boolean {
  return isIrregular(policy) || textAt(policy.written, 'spec', 'host') !== undefined;
}

export function* otherVersion(policy: Policy): Iterable<Hit> {
  const { kind } = policy;
  const { version, spec, unknown, violations } = writtenOf(policy);
  const hasOldHost =
    kind === 'Mapping' && version === 'v3alpha1' && textAt(spec, 'host') && !isTrueAt(spec, 'host_regex');
  if (unknown.length === 0 && violations.length === 0 && !hasOldHost) return;
  const object = partyOf(policy);
  const other = otherOf(version);
  if (unknown.length > 0 || violations.length > 0) {
    const fine = fieldsFineIn(kind, other, spec);
    for (const field of unknown.filter(fine).slice(0, MOST)) {
      const message = `${describe(object)} has ${field}, which ${version} does not have and ${other} has`;
      // Without it a Mapping of v2 is for every host.
      const impact = field === 'spec.hostname' && kind === 'Mapping' ? 'steal' : 'no-effect';
      yield { object, detail: field, message, impact };
    }
    for (const { field, message } of violations.filter((violation) => fine(violation.field)).slice(0, MOST)) {
      yield { object, detail: field, message: `${describe(object)}: in ${version} ${field} ${message}` };
    }
  }
  if (hasOldHost) {
    const message = `${describe(object)} has spec.host, which is deprecated in v3alpha1; spec.hostname takes its place`;
    yield { object, detail: 'spec.host', message, severity: 'warning', impact: 'no-effect' };
  }
}

export function* unknownField(policy: Policy): Iterable<Hit> {
  const { version, spec, unknown } = writtenOf(policy);
  if (unknown.length === 0) return;
  const object = partyOf(policy);
  const fine = fieldsFineIn(policy.kind, otherOf(version), spec);
  for (const field of unknown.filter((path) => !fine(path)).slice(0, MOST)) {
    yield { object, detail: field, message: `${describe(object)} has the field ${field}, which does not exist` };
  }
}

/** Values that other rules know more about: what becomes of the traffic. */
const SAID_ELSEWHERE =
  /^spec\.(retry_policy\.retry_on|circuit_breakers\.\d+\.priority|redirect_response_code|load_balancer\.policy|labels\..*|m(in|ax)_tls_version|port)$/;

export function* schemaBroken(policy: Policy): Iterable<Hit> {
  const { version, spec, violations } = writtenOf(policy);
  if (violations.length === 0) return;
  const object = partyOf(policy);
  const fine = fieldsFineIn(policy.kind, otherOf(version), spec);
  const own = violations.filter(({ field, rule }) => {
    if (rule === 'required') return true;
    return !fine(field) && (rule === 'type' || !SAID_ELSEWHERE.test(field));
  });
  for (const { field, rule, message } of own.slice(0, MOST)) {
    yield { object, detail: `${field} ${rule} ${message}`, message: `${describe(object)}: ${field} ${message}` };
  }
}

/** Which fields of a spec another version takes as they are: what is wrong with them is the version. */
function fieldsFineIn(kind: string, version: string, spec: unknown): (field: string) => boolean {
  if (!schemaOf(kind, version)) return () => false;
  const { violations, unknown } = conformityOf(kind, version, spec);
  const wrong = new Set([...violations.map(({ field }) => field), ...unknown]);
  return (field) => !wrong.has(field);
}

/** Fields that the conversion adds to remember how v2 spelled something (api/v3alpha1). */
const CONVERSION_FIELDS = new Set([
  'v2ExplicitTLS',
  'v2BoolHeaders',
  'v2BoolQueryParameters',
  'v2CommaSeparatedOrigins',
  'v2Representation',
  'v2Shorthand',
]);

export function mayHoldArtefacts({ written }: Policy): boolean {
  return hasScalar(written['spec'], isArtefact);
}

function isArtefact(scalar: unknown): boolean {
  if (typeof scalar !== 'string') return false;
  return scalar.startsWith(ID_MANGLE) || scalar.startsWith(NO_HOST) || CONVERSION_FIELDS.has(scalar);
}

/** What the conversion writes before or in place of a text. */
const MARKS = [ID_MANGLE, NO_HOST];

export function* storageArtefact(policy: Policy): Iterable<Hit> {
  const { source, file } = policy.origin;
  // What is only live was written by the API server.
  if (isMade(policy) || (source === undefined && file === undefined)) return;
  const object = partyOf(policy);
  const artefacts = [...artefactsIn(recordAt(policy.written, 'spec'), 'spec')];
  for (const [field, value] of artefacts.slice(0, MOST)) {
    const shown = value === undefined ? '' : ` with ${value}`;
    yield { object, detail: field, message: `${describe(object)} has ${field}${shown}, left by a conversion` };
  }
}

/** Without recursion: nothing bounds the depth of JSON. */
function* artefactsIn(spec: unknown, path: string): Iterable<[field: string, value: string | undefined]> {
  const open: [value: unknown, path: string][] = [[spec, path]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, at] = next;
    if (typeof value === 'string') {
      const mark = MARKS.find((one) => value.startsWith(one));
      if (mark !== undefined) yield [at, mark];
    } else if (Array.isArray(value)) {
      for (const [index, item] of (value as unknown[]).entries()) open.push([item, `${at}.${index}`]);
    } else if (isRecord(value)) {
      for (const [name, inner] of Object.entries(value)) {
        if (CONVERSION_FIELDS.has(name)) yield [`${at}.${name}`, undefined];
        else open.push([inner, `${at}.${name}`]);
      }
    }
  }
}

interface Written extends Conformity {
  readonly version: string;
  readonly spec: unknown;
}

const CONFORMS: Conformity = { violations: [], unknown: [] };

// Three rules ask, and policies outlive compilations.
/** A policy as it is written, by the schema of its own version; what nobody wrote conforms. */
function writtenOf(policy: Policy): Written {
  const version = versionOf(policy.written.apiVersion);
  const { violations, unknown } = conformityOfPolicy(policy);
  return { version, spec: policy.written['spec'] ?? {}, violations, unknown };
}

// Three rules ask.
const conformityOfPolicy = aboutPolicies.remembered((policy: Policy): Conformity => {
  if (isMade(policy)) return CONFORMS;
  return conformityOf(policy.kind, versionOf(policy.written.apiVersion), policy.written['spec'] ?? {});
});
