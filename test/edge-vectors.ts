import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { compileEdge } from '../src/edge/compile.ts';
import type { EdgeInput, SecretShape } from '../src/edge/input.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { observe, type Observed } from './edge-observed.ts';

/** One case of vectors/edge: objects, and what the real compiler made of them. vectors/edge/README.md says what each field means. */
export interface EdgeVector {
  id: string;
  title?: string;
  profile?: string;
  env: { namespace: string; id: string };
  knownSecrets: string[] | null;
  objects: KubeObject[];
  showInternal?: boolean;
  observed: Observed;
}

/** A place where our answer is another one. `path` is a JSON path below `observed`. */
export interface EdgeDifference {
  path: string;
  upstream: unknown;
  ours: unknown;
}

export function readEdgeVectors(file: string): EdgeVector[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as EdgeVector);
}

/** What a case gives to `compileEdge`. */
export function inputOf({ env, knownSecrets, objects }: EdgeVector): EdgeInput {
  const known = knownSecrets && new Set(knownSecrets);
  return {
    objects: objects.map((object) => ({ object, origin: {} })),
    secret: (name, namespace) =>
      !known || known.has(`${name}.${namespace}`) ? wholeSecret(name, namespace) : undefined,
    settings: {
      ambassadorId: env.id,
      namespace: env.namespace,
      version: '4.1.0',
      environment: { EDGE_VAR: 'expanded' },
      strictLabelSelectors: true,
    },
  };
}

function wholeSecret(name: string, namespace: string): SecretShape {
  const keys = new Set(['tls.crt', 'tls.key', 'ca.crt', 'crl.pem', 'user.key']);
  return { name, namespace, type: 'kubernetes.io/tls', keys };
}

/** The places where we answer otherwise than the compiler, in the order of the fields; `only`: just these fields of `observed`. */
export function edgeDifferences(vector: EdgeVector, only?: ReadonlySet<string>): EdgeDifference[] {
  const ours = observe(compileEdge(inputOf(vector)), { internal: vector.showInternal === true });
  const differences: EdgeDifference[] = [];
  const fields = new Set([...Object.keys(vector.observed), ...Object.keys(ours)] as (keyof Observed)[]);
  for (const field of fields) {
    if (only && !only.has(field)) continue;
    compare(comparable(field, vector.observed[field]), comparable(field, ours[field]), field, differences);
  }
  return differences;
}

/** Texts of errors are for orientation: they are compared by key and count. Clusters are a set. A crash is where it happens. */
function comparable(field: keyof Observed, value: unknown): unknown {
  if (field === 'crash' && typeof value === 'string') return value.split(':', 1)[0];
  if (!Array.isArray(value)) return value;
  if (field === 'errors' || field === 'notices') return (value as { key: string }[]).map(({ key }) => key).sort();
  if (field === 'clusters') return (value as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return value;
}

function compare(upstream: unknown, ours: unknown, path: string, into: EdgeDifference[]): void {
  if (isDeepStrictEqual(upstream, ours)) return;
  if (Array.isArray(upstream) && Array.isArray(ours)) {
    for (let i = 0; i < Math.max(upstream.length, ours.length); i++)
      compare(upstream[i], ours[i], `${path}[${i}]`, into);
  } else if (isRecord(upstream) && isRecord(ours)) {
    for (const key of new Set([...Object.keys(upstream), ...Object.keys(ours)])) {
      compare(upstream[key], ours[key], `${path}.${key}`, into);
    }
  } else {
    into.push({ path, upstream, ours });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
