import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceOf, readYamlVectors } from './yaml-vectors.ts';

/**
 * Cases that we answer otherwise than kubectl, on purpose. kubectl takes the last of two equal keys without a word, so half
 * of what the author wrote is dropped; the API server refuses such a document under strict field validation.
 */
const REFUSED_ON_PURPOSE = ['dup key', 'dup key int/str', 'dup key true/yes', 'dup top-level kind', 'json dup'];

test('every recorded case is read as kubectl reads it, but for repeated keys', () => {
  const cases = readYamlVectors(new URL('vectors/yaml/kubectl.json', import.meta.url).pathname);
  assert.ok(cases.length >= 156);
  const differences = cases.flatMap((one) => differenceOf(one) ?? []);
  assert.deepEqual(
    differences.map(({ name }) => name),
    REFUSED_ON_PURPOSE,
  );
  for (const { ours } of differences) assert.match(ours, /^DuplicateKey in line \d+: the key ".*" stands twice$/);
});
