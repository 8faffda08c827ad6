import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NewCondition, removeCondition, setCondition } from './conditions.ts';

const first = new Date('2026-01-01T10:00:00.123Z');
const later = new Date('2026-01-01T11:00:00Z');
const failing: NewCondition = { type: 'Ready', status: 'False', reason: 'Progressing', message: 'at work' };

test('a new condition begins now, in whole seconds', () => {
  assert.deepEqual(setCondition([], failing, first), [{ ...failing, lastTransitionTime: '2026-01-01T10:00:00Z' }]);
});

test('the time stays while the status stays, and moves when it flips', () => {
  const before = setCondition([], failing, first);
  const retried = setCondition(before, { ...failing, reason: 'ProgressingWithRetry' }, later);
  assert.equal(retried[0]?.lastTransitionTime, '2026-01-01T10:00:00Z');
  assert.equal(retried[0]?.reason, 'ProgressingWithRetry');
  const ready = setCondition(retried, { ...failing, status: 'True', reason: 'ReconciliationSucceeded' }, later);
  assert.equal(ready[0]?.lastTransitionTime, '2026-01-01T11:00:00Z');
});

test('what changes nothing gives the same array, and no array is ever changed', () => {
  const before = setCondition([], failing, first);
  assert.equal(setCondition(before, { ...failing }, later), before);
  assert.equal(removeCondition(before, 'Stalled'), before);
  const changed = setCondition(before, { ...failing, observedGeneration: 2 }, later);
  assert.notEqual(changed, before);
  assert.equal(before[0]?.observedGeneration, undefined);
});

test('conditions keep their places beside each other', () => {
  const two = setCondition(setCondition([], failing, first), { ...failing, type: 'Drifted' }, first);
  const flipped = setCondition(two, { ...failing, status: 'True' }, later);
  assert.deepEqual(
    flipped.map(({ type, status }) => [type, status]),
    [
      ['Ready', 'True'],
      ['Drifted', 'False'],
    ],
  );
  assert.deepEqual(
    removeCondition(flipped, 'Ready').map(({ type }) => type),
    ['Drifted'],
  );
});
