// Whatever is pushed, edited and broken in whatever order: afterwards the cluster is what Git says, and no status claims what
// is not so. A few rounds here; `npm run faults` plays as many as one likes, with restarts of the API server too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFaults } from './faults/run.ts';
import { preventCluster } from './prevent.ts';

test('after each round of edits and faults the cluster is what Git says', { timeout: 600_000 }, async () => {
  await using cluster = await preventCluster();
  const { failures, rounds } = await runFaults(cluster, {
    seed: 5,
    rounds: 3,
    worlds: [0, 1],
    restarts: false,
  });
  assert.deepEqual(failures, [], failures.join('\n\n'));
  assert.equal(rounds, 6);
});
