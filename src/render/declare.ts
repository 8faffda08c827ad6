import { hash } from 'node:crypto';
import { NAME_LABEL, NAMESPACE_LABEL, OWNER_ANNOTATION, ownerProof } from '../api/names.ts';
import { describeIdentity, groupOf, identityKey, type Identity, type KubeObject } from '../kube/object.ts';
import { Body } from './body.ts';
import { serialise } from './serialise.ts';
import { detached, shared } from './words.ts';
import type { Declared, ParsedObject, RenderProblem } from './declared.ts';
import { isMap } from './node.ts';
import { readPolicy } from './policy.ts';

export type Scope = 'Namespaced' | 'Cluster';

/** What a source adds to its objects, and what the cluster knows about kinds. */
export interface DeclareSettings {
  source: { namespace: string; name: string };
  targetNamespace?: string;
  commonMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  /** Undefined: discovery does not know the kind. */
  scopeOf: (group: string, kind: string) => Scope | undefined;
}

export interface Kind {
  group: string;
  kind: string;
}

export interface Declaration {
  declared: Declared[];
  problems: RenderProblem[];
  /** Kinds that neither the cluster nor a CRD of the same commit describes; they were taken for namespaced. */
  unknownKinds: Kind[];
}

/** Turns objects as the files say them into objects as the cluster must hold them. Pure, never throws. */
export function declare(parsed: readonly ParsedObject[], settings: DeclareSettings): Declaration {
  const crds = new Map(parsed.flatMap(({ object }) => crdScope(object) ?? []));
  const known = { ...settings, scopeOf: withCrds(settings.scopeOf, crds) };
  const declared: Declared[] = [];
  const problems: RenderProblem[] = [];
  for (const one of parsed) {
    const outcome = declareObject(one, known);
    if (Array.isArray(outcome)) problems.push(...outcome);
    else declared.push(outcome);
  }
  problems.push(...duplicates(declared));
  return { declared, problems, unknownKinds: unknownKinds(declared, known.scopeOf) };
}

/** The scope that a CRD gives to its kind, by `group/kind`. */
export function crdScope({ apiVersion, kind, spec }: KubeObject): [[string, Scope]] | undefined {
  if (kind !== 'CustomResourceDefinition' || groupOf(apiVersion) !== 'apiextensions.k8s.io' || !isMap(spec)) return;
  const { group, names, scope } = spec;
  if (typeof group !== 'string' || !isMap(names) || typeof names['kind'] !== 'string') return;
  return scope === 'Namespaced' || scope === 'Cluster' ? [[`${group}/${names['kind']}`, scope]] : undefined;
}

/** What the commit's own CRDs say fills in for what the cluster does not know yet. */
export function withCrds(
  scopeOf: DeclareSettings['scopeOf'],
  crds: ReadonlyMap<string, Scope>,
): DeclareSettings['scopeOf'] {
  return (group, kind) => scopeOf(group, kind) ?? crds.get(`${group}/${kind}`);
}

export function unknownKinds(declared: readonly Declared[], scopeOf: DeclareSettings['scopeOf']): Kind[] {
  const unknown = new Map<string, Kind>();
  for (const { identity } of declared) {
    const { group, kind } = identity;
    const key = `${group}/${kind}`;
    if (!unknown.has(key) && scopeOf(group, kind) === undefined) unknown.set(key, { group, kind });
  }
  return [...unknown.values()];
}

/** Every object that was declared before, with both places. */
export function duplicates(declared: readonly Declared[]): RenderProblem[] {
  const first = new Map<string, Declared>();
  const problems: RenderProblem[] = [];
  for (const one of declared) {
    const other = first.get(one.key);
    if (!other) {
      first.set(one.key, one);
      continue;
    }
    const message = `${describeIdentity(one.identity)} is declared twice: ${other.file}:${other.line} and ${one.file}:${one.line}`;
    problems.push({ code: 'DuplicateObject', file: one.file, line: one.line, message });
  }
  return problems;
}

/** One object, or what is wrong with it. `settings.scopeOf` already knows the CRDs of the commit. */
export function declareObject(
  { object, file, line }: ParsedObject,
  settings: DeclareSettings,
): Declared | RenderProblem[] {
  const { source, commonMetadata } = settings;
  const identity = identify(object, settings);
  const key = detached(identityKey(identity));
  const { policy, complaints } = readPolicy(object.metadata);
  const { body, complaint } = serialise(object, {
    namespace: identity.namespace,
    labels: { ...commonMetadata?.labels, [NAME_LABEL]: source.name, [NAMESPACE_LABEL]: source.namespace },
    annotations: { ...commonMetadata?.annotations, [OWNER_ANNOTATION]: ownerProof(source, key) },
  });
  const problems = [
    ...complaints.map((message) => ({ code: 'InvalidAnnotation', file, line, message })),
    ...(complaint === undefined ? [] : [{ code: 'InvalidObject', file, line, message: complaint }]),
  ];
  if (problems.length > 0) return problems;
  const digest = hash('sha256', body, 'base64url');
  return { identity, key, apiVersion: shared(object.apiVersion), file, line, body: new Body(body), digest, policy };
}

function identify({ apiVersion, kind, metadata }: KubeObject, settings: DeclareSettings): Identity {
  const { source, targetNamespace, scopeOf } = settings;
  const group = groupOf(apiVersion);
  const scope = scopeOf(group, kind);
  const own = metadata.namespace || undefined;
  let namespace = '';
  if (scope === 'Namespaced') namespace = targetNamespace ?? own ?? source.namespace;
  else if (scope === undefined) namespace = own ?? targetNamespace ?? source.namespace;
  return {
    group: shared(group),
    kind: shared(kind),
    namespace: shared(namespace),
    name: detached(metadata.name),
  };
}
