import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from '../src/edge/compile.ts';
import { DEFAULT_GUARD } from '../src/edge/guard.ts';
import type { EdgeInput } from '../src/edge/input.ts';
import { findingsOf } from '../src/edge/judge.ts';
import { routesOf } from '../src/edge/routes.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { inputOf, readEdgeVectors } from './edge-vectors.ts';

/** What may stand at any field of a policy: nothing of it may stop the operator or hold it up. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  NaN,
  9007199254740993n,
  '',
  '*',
  '(((((((((a+)+)+)+)+)+)+)+)+)+b',
  'http://[',
  '__proto__',
  'x'.repeat(5000),
  '\u0000\ud800',
  [],
  {},
  [[]],
  [null],
  { constructor: null, toString: 5, hasOwnProperty: 1 },
  JSON.parse('{"__proto__": {"polluted": true}}'),
];

/** A small generator with a fixed seed (mulberry32), so that what fails can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Replaces one value somewhere below `spec`, `metadata.labels` or `metadata.annotations`. */
function spoil(object: KubeObject, pick: (below: number) => number): KubeObject {
  const copy = structuredClone(object);
  const hostile = HOSTILE[pick(HOSTILE.length)];
  const { labels, annotations } = copy.metadata;
  let at = [copy, copy['spec'], labels, annotations][pick(4)] ?? copy;
  for (;;) {
    const holder = at as Record<string, unknown>;
    const names = Object.keys(holder).filter((name) => !['kind', 'apiVersion', 'metadata'].includes(name));
    const name = names.length === 0 || pick(6) === 0 ? 'service' : (names[pick(names.length)] as string);
    const inner = holder[name];
    if (typeof inner !== 'object' || inner === null || pick(3) === 0) {
      holder[name] = hostile;
      return copy;
    }
    at = inner;
  }
}

function judge(input: EdgeInput): void {
  const edge = compileEdge(input);
  for (const listener of edge.listeners) {
    for (const { vhosts } of listener.chains) for (const vhost of vhosts) for (const _ of routesOf(listener, vhost));
  }
  const failed = findingsOf({ edge, input, guard: DEFAULT_GUARD }).filter(({ rule }) => rule === 'EM000');
  assert.deepEqual(
    failed.map(({ message }) => message),
    [],
  );
}

test('whatever stands at a field of a policy, it is compiled and judged', { timeout: 120_000 }, () => {
  const cases = ['directed', 'random'].flatMap((file) =>
    readEdgeVectors(new URL(`vectors/edge/${file}.jsonl`, import.meta.url).pathname),
  );
  const pick = random(1);
  for (const vector of cases) {
    for (let round = 0; round < 2; round++) {
      const objects = vector.objects.map((object) => (pick(3) === 0 ? spoil(object, pick) : object));
      const start = performance.now();
      const shown = JSON.stringify(objects, (_key, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value,
      );
      try {
        judge({ ...inputOf(vector), objects: objects.map((object) => ({ object, origin: {} })) });
      } catch (error) {
        throw new Error(`${vector.id}, round ${round}: ${shown}`, { cause: error });
      }
      assert.ok(performance.now() - start < 2_000, `${vector.id}, round ${round} took too long: ${shown}`);
    }
  }
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
