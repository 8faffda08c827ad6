// Spoilt inputs for everything that reads what others wrote: no crash, no hang, no unbounded memory. The same few cases each
// time; `npm run fuzz` goes on with others for as long as one likes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuzz } from './fuzz/run.ts';
import { TARGETS } from './fuzz/targets.ts';

/** Of a target whose cases start threads, or read large files, fewer. */
const CASES: Readonly<Record<string, number>> = {
  'git-servers': 8,
  yaml: 25,
  kubeconfigs: 20,
  edge: 80,
  'managed-fields': 100,
};

describe('spoilt input', () => {
  for (const target of Object.keys(TARGETS)) {
    it(`is survived: ${target}`, async () => {
      const to = CASES[target] ?? 200;
      const { failure, cases } = await fuzz({ target, seed: 1, from: 0, to, seconds: 200 });
      assert.equal(failure, undefined);
      assert.equal(cases, to);
    });
  }
});
