import { inParallel } from '../src/concurrency/parallel.ts';
import type { Cluster } from '../test/cluster.ts';
import { until } from '../test/until.ts';
import type { BenchObject } from './mixed-objects.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const KINDS_OF_A_GROUP = 10;

/** Lets the cluster serve the first `count` kinds, and waits until it does. */
export async function crds(cluster: Cluster, count: number): Promise<void> {
  await inParallel(
    Array.from({ length: count }, (_, index) => index),
    4,
    async (index) => {
      const { status } = await cluster.request('POST', CRDS, { body: crd(index) });
      if (status !== 201 && status !== 409) throw new Error(`CRD ${index}: ${status}`);
      const { group, plural } = names(index);
      await until(async () => (await cluster.request('GET', `/apis/${group}/v1/${plural}?limit=1`)).status === 200, {
        what: `${plural}.${group} is served`,
        timeoutMs: 300_000,
      });
    },
  );
}

/** `share` objects of each of the first `count` kinds. */
export function customObjects(count: number, share: number): BenchObject[] {
  return Array.from({ length: count * share }, (_, index) => {
    const { group, kind, plural } = names(index % count);
    const name = `bench-${String(index).padStart(5, '0')}`;
    const body = JSON.stringify({
      apiVersion: `${group}/v1`,
      kind,
      metadata: { name, labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'bench' } },
      spec: {
        size: index,
        host: `${name}.example.com`,
        rules: [{ name: 'a', values: ['x', 'y'] }],
        options: { mode: 'on' },
      },
    });
    return { name, body, collection: (namespace) => `/apis/${group}/v1/namespaces/${namespace}/${plural}` };
  });
}

function names(index: number) {
  const kind = `Bench${String(index).padStart(3, '0')}`;
  const group = `g${Math.floor(index / KINDS_OF_A_GROUP)}.bench.example.com`;
  return { group, kind, plural: `${kind.toLowerCase()}s` };
}

function crd(index: number): object {
  const { group, kind, plural } = names(index);
  const text = { type: 'string' };
  const rule = { type: 'object', properties: { name: text, values: { type: 'array', items: text } } };
  const spec = {
    type: 'object',
    properties: {
      size: { type: 'integer' },
      host: text,
      rules: { type: 'array', items: rule },
      options: { type: 'object', additionalProperties: text },
    },
  };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
