import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from './errors.ts';
import { Backoff, retryDelayMs } from './retry.ts';

const reset = new KubeError('ApiUnreachable', 'x', { cause: { code: 'ECONNRESET' } });
const refused = new KubeError('ApiUnreachable', 'x', { cause: { code: 'ECONNREFUSED' } });
const answered = (status: number, retryAfterMs?: number) =>
  new KubeError(status === 429 ? 'ApiBusy' : 'ApiServerError', 'x', {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

const cases: [what: string, error: KubeError, retry: boolean | undefined, delayMs: number | undefined][] = [
  ['a reset GET', reset, true, 50],
  ['a reset create', reset, undefined, undefined],
  ['a refused create', refused, undefined, 50],
  ['429 to a create', answered(429), undefined, 50],
  ['429 with Retry-After', answered(429, 3_000), undefined, 3_000],
  ['429 when the caller has its own loop', answered(429), false, undefined],
  ['503 to an apply', answered(503), true, 50],
  ['503 to a create', answered(503), undefined, undefined],
  ['500', answered(500), true, undefined],
  ['404', new KubeError('ApiNotFound', 'x', { status: 404 }), true, undefined],
  ['our own deadline', new KubeError('ApiTimeout', 'x'), true, undefined],
  ['Retry-After beyond the deadline', answered(503, 60_000), true, undefined],
];
for (const [what, error, retry, delayMs] of cases) {
  test(`${what}: ${delayMs === undefined ? 'not again' : `again after ${delayMs} ms`}`, () => {
    assert.equal(retryDelayMs(error, { attempt: 0, retry, remainingMs: 30_000, random: 0 }), delayMs);
  });
}

test('delays grow, are capped, and spread', () => {
  const at = (attempt: number, random: number) =>
    retryDelayMs(reset, { attempt, retry: true, remainingMs: 1e9, random });
  assert.deepEqual([at(0, 0), at(1, 0), at(2, 0), at(20, 0)], [50, 100, 200, 2_500]);
  assert.equal(at(20, 1), 5_000);
});

test('those refused together with one Retry-After do not come back together', () => {
  const at = (random: number) =>
    retryDelayMs(answered(429, 1_000), { attempt: 0, retry: undefined, remainingMs: 1e9, random });
  assert.deepEqual([at(0), at(0.5)], [1_000, 1_050]);
});

test('a backoff doubles up to its cap and starts again', () => {
  const backoff = new Backoff({ firstMs: 800, capMs: 30_000, random: () => 1 });
  const delays = Array.from({ length: 8 }, () => backoff.nextMs());
  assert.deepEqual(delays, [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  backoff.reset();
  assert.equal(backoff.nextMs(), 800);
});
