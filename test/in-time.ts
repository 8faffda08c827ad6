import assert from 'node:assert/strict';

/**
 * What the work returns, done in at most so much processor time, which what else the machine does hardly touches. For hostile
 * input that would take far longer; how fast things are is measured in bench/.
 */
export function inTime<T>(limitMs: number, work: () => T): T {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1_000;
  assert.ok(tookMs < limitMs, `took ${tookMs.toFixed(0)} ms of processor time, not ${limitMs}`);
  return result;
}
