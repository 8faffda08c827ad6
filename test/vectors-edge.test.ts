import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeDifferences, readEdgeVectors } from './edge-vectors.ts';

/** Cases that we answer otherwise than the compiler, with the argument why its answer is not wanted. */
const OTHERWISE_ON_PURPOSE: Record<string, string> = {};

for (const [file, least] of Object.entries({ directed: 168, random: 450 })) {
  test(`every ${file} case of the edge is answered as the compiler answers it`, () => {
    const cases = readEdgeVectors(new URL(`vectors/edge/${file}.jsonl`, import.meta.url).pathname);
    assert.ok(cases.length >= least);
    const differences = cases.flatMap((one) =>
      edgeDifferences(one).map((difference) => ({ id: one.id, ...difference })),
    );
    assert.deepEqual(
      differences.filter(({ id }) => !(id in OTHERWISE_ON_PURPOSE)),
      [],
    );
  });
}
