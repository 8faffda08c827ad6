import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_AROUND } from './overlaps.ts';
import { ask, mapping } from './rules/case.ts';
import { RULES } from './rules/table.ts';

const carveOut = RULES.find(({ name }) => name === 'carve-out')!;

/** Each route lies within the one before, and they belong to so many teams in turns. */
function nest(depth: number, teams: number) {
  return Array.from({ length: depth }, (_, at) => {
    return mapping(`t${at % teams}/m${at}`, { prefix: '/x'.repeat(at + 1) });
  });
}

test('of the owners around a route the nearest are told, and no more than a few', () => {
  const findings = ask(carveOut, { objects: nest(20, 15) });
  const others = findings.filter(({ object }) => object.name === 'm19').map(({ other }) => other?.name);
  assert.deepEqual(
    others,
    Array.from({ length: MOST_AROUND }, (_, at) => `m${18 - at}`),
  );
});

test('a deep nest of many teams makes findings by its depth alone', () => {
  const findings = ask(carveOut, { objects: nest(400, 40) });
  assert.ok(findings.length > 3000 && findings.length <= 400 * MOST_AROUND, `${findings.length}`);
});
