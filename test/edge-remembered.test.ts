import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from '../src/edge/compile.ts';
import type { EdgeInput, EdgeObject } from '../src/edge/input.ts';
import { observe } from './edge-observed.ts';
import { inputOf, readEdgeVectors } from './edge-vectors.ts';

// The compiler remembers with each object what it made of it. Whatever changes around an object, the answer is the one that a
// compiler without memory gives; and the order of the objects changes nothing.

const VECTORS = readEdgeVectors(new URL('vectors/edge/directed.jsonl', import.meta.url).pathname);

/** As text, with what has no order sorted. */
function seen(input: EdgeInput): string {
  const { errors, notices, clusters, ...rest } = observe(compileEdge(input), { internal: true });
  const unordered = [errors, notices, clusters ?? []].map((list) => list.map((one) => JSON.stringify(one)).sort());
  return JSON.stringify([rest, unordered]);
}

function withoutMemory(input: EdgeInput): string {
  return seen({ ...input, settings: { ...input.settings }, objects: structuredClone(input.objects) });
}

/** Another text in each field that says who belongs to whom. */
function altered({ object, origin }: EdgeObject): EdgeObject {
  const spec = { ...(object['spec'] as Record<string, unknown>), weight: 7, tls: 'c1', hostname: 'www.a.com' };
  return { object: { ...object, spec }, origin };
}

void test('one object is gone, or another one, and all is as if compiled for the first time', () => {
  for (const vector of VECTORS) {
    const input = inputOf(vector);
    const whole = seen(input);
    for (const [at, object] of input.objects.entries()) {
      const without = { ...input, objects: input.objects.toSpliced(at, 1) };
      assert.equal(seen(without), withoutMemory(without), `${vector.id} without object ${at}`);
      const changed = { ...input, objects: input.objects.with(at, altered(object)) };
      assert.equal(seen(changed), withoutMemory(changed), `${vector.id} with another object ${at}`);
    }
    assert.equal(seen(input), whole, `${vector.id} as it was`);
  }
});

void test('the order of the objects has no meaning', () => {
  for (const vector of VECTORS) {
    const input = inputOf(vector);
    assert.equal(seen({ ...input, objects: input.objects.toReversed() }), seen(input), vector.id);
  }
});
