// The test bed of the rules: small sets of policies that a rule must flag, or must not.
import assert from 'node:assert/strict';
import type { KubeObject } from '../../kube/object.ts';
import { compileEdge } from '../compile.ts';
import type { Finding, Impact, Judged, Rule, Severity } from '../finding.ts';
import { DEFAULT_GUARD, type Guard } from '../guard.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeObject, type EdgeSettings, type SecretShape } from '../input.ts';
import { askOne, RULE_FAILED } from '../judge.ts';
import { describe } from '../party.ts';

/** The cases of one rule by title. A list of objects is short for a case that holds nothing else. */
export interface RuleCases {
  /** It must find something here. */
  readonly flags: Record<string, readonly EdgeObject[] | Case>;
  /** It must find nothing here: near misses. */
  readonly passes: Record<string, readonly EdgeObject[] | Case>;
}

export interface Case {
  /**
   * A Listener on 8080 that takes every Host is added when there is none among them, and a Host `*` that takes every
   * Mapping when there is none: so a case says only what it is about.
   */
  readonly objects: readonly EdgeObject[];
  /** true: nothing is added to the objects. */
  readonly bare?: boolean;
  /** true: nothing else is in the cluster. */
  readonly complete?: boolean;
  /** Secrets that exist. `namespace/name` has a certificate and its key. */
  readonly secrets?: readonly (string | SecretShape)[];
  readonly settings?: Partial<EdgeSettings>;
  readonly guard?: Partial<Guard>;
  /** At least one finding must be like this. */
  readonly finds?: Expected;
  /** So many findings, when it matters. */
  readonly count?: number;
}

export interface Expected {
  readonly severity?: Severity;
  readonly impact?: Impact;
  /** `Mapping shop/cart`; in an annotation `… in the annotation of Service shop/web`. */
  readonly object?: string;
  readonly other?: string;
  readonly host?: string;
  readonly path?: string;
  readonly methods?: readonly string[];
  /** Of the message. */
  readonly says?: RegExp;
  readonly mend?: RegExp;
}

interface Meta {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** One object of group getambassador.io, `kind namespace/name`, v3alpha1. */
export function object(kind: string, name: `${string}/${string}`, spec: object = {}, meta: Meta = {}): EdgeObject {
  return written('getambassador.io/v3alpha1', kind, name, { spec }, meta);
}

/** One object of any group and version; `fields` beside metadata (`spec`, `data` …). */
export function written(
  apiVersion: string,
  kind: string,
  name: `${string}/${string}`,
  fields: object = {},
  meta: Meta = {},
): EdgeObject {
  const [namespace, bare] = name.split('/', 2) as [string, string];
  const full: KubeObject = { apiVersion, kind, metadata: { name: bare, namespace, ...meta }, ...fields };
  return { object: full, origin: {} };
}

/** A Mapping on host `a.com`, prefix `/x/`, to the service `svc`, unless the spec says otherwise (`undefined`: without). */
export function mapping(name: `${string}/${string}`, spec: object = {}, meta: Meta = {}): EdgeObject {
  const whole: Record<string, unknown> = { hostname: 'a.com', prefix: '/x/', service: 'svc', ...spec };
  return object(
    'Mapping',
    name,
    Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)),
    meta,
  );
}

/** A Host for `a.com` that takes every Mapping, without TLS, unless the spec says otherwise. */
export function host(name: `${string}/${string}`, spec: object = {}, meta: Meta = {}): EdgeObject {
  return object('Host', name, { hostname: 'a.com', requestPolicy: { insecure: { action: 'Route' } }, ...spec }, meta);
}

/** A Listener on 8080 for HTTP that takes every Host, unless the spec says otherwise. */
export function listener(name: `${string}/${string}`, spec: object = {}, meta: Meta = {}): EdgeObject {
  const usual = { port: 8080, protocol: 'HTTP', securityModel: 'XFP', hostBinding: { namespace: { from: 'ALL' } } };
  return object('Listener', name, { ...usual, ...spec }, meta);
}

/** A Service that carries policies: the text is its `getambassador.io/config`. */
export function service(
  name: `${string}/${string}`,
  config?: string,
  fields: object = {},
  meta: Meta = {},
): EdgeObject {
  const annotations = { ...meta.annotations, ...(config !== undefined && { 'getambassador.io/config': config }) };
  return written('v1', 'Service', name, fields, { ...meta, annotations });
}

/** The same object, declared by a source. */
export function from(source: string, { object }: EdgeObject, file = `${object.metadata.name}.yaml`): EdgeObject {
  return { object, origin: { source, file, line: 1 } };
}

/** Compiles a case and asks one rule. A rule that throws fails the case. */
export function ask(rule: Rule, given: readonly EdgeObject[] | Case): Finding[] {
  const findings = [...askOne(rule, judgedOf(given))];
  for (const { rule, message } of findings) assert.notEqual(rule, RULE_FAILED.id, message);
  return findings;
}

/** What a rule is asked about. */
export function judgedOf(given: readonly EdgeObject[] | Case): Judged {
  const {
    objects,
    bare = false,
    complete = false,
    secrets = [],
    settings,
    guard,
  }: Case = 'objects' in given ? given : { objects: given };
  const shapes = new Map(secrets.map(shapeOf).map((shape) => [`${shape.namespace}/${shape.name}`, shape]));
  const input = {
    objects: bare ? objects : withBackdrop(objects),
    complete,
    secret: (name: string, namespace: string) => shapes.get(`${namespace}/${name}`),
    settings: { ...DEFAULT_EDGE_SETTINGS, ...settings },
  };
  return { edge: compileEdge(input), input, guard: { ...DEFAULT_GUARD, ...guard } };
}

function withBackdrop(objects: readonly EdgeObject[]): EdgeObject[] {
  const has = (kind: string) => objects.some(({ object }) => object.kind === kind);
  return [
    ...objects,
    ...(has('Listener') ? [] : [listener('emissary/listener-8080')]),
    ...(has('Host') ? [] : [host('emissary/any-host', { hostname: '*' })]),
  ];
}

function shapeOf(secret: string | SecretShape): SecretShape {
  if (typeof secret !== 'string') return secret;
  const [namespace, name] = secret.split('/', 2) as [string, string];
  return { name, namespace, type: 'kubernetes.io/tls', keys: new Set(['tls.crt', 'tls.key']) };
}

/** Fails when none of the findings is as expected; shows them all. */
export function assertFound(findings: readonly Finding[], { finds = {}, count }: Case): void {
  const seen = findings.map(asExpected);
  const lines = JSON.stringify(seen, null, 2);
  assert.ok(
    seen.some((finding) => Object.entries(finds).every(([name, value]) => agrees(finding[name], value))),
    `nothing like ${JSON.stringify(finds, (_, value: unknown) => (value instanceof RegExp ? String(value) : value))} in ${lines}`,
  );
  if (count !== undefined) assert.equal(findings.length, count, lines);
}

function asExpected({ severity, impact, object, other, traffic, message, mend }: Finding): Record<string, unknown> {
  return {
    severity,
    impact,
    object: describe(object),
    other: other && describe(other),
    ...traffic,
    says: message,
    mend,
  };
}

function agrees(actual: unknown, expected: unknown): boolean {
  if (expected instanceof RegExp) return typeof actual === 'string' && expected.test(actual);
  return JSON.stringify(actual) === JSON.stringify(expected);
}
