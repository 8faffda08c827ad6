import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from './until.ts';

test('gives the first truthy answer', async () => {
  let asked = 0;
  assert.equal(await until(() => (++asked === 3 ? asked : 0), { intervalMs: 0 }), 3);
});

test('a condition that throws is not met yet', async () => {
  let asked = 0;
  const met = await until(
    () => {
      assert.equal(++asked, 2);
      return true;
    },
    { intervalMs: 0 },
  );
  assert.equal(met, true);
});

test('in the end says what was waited for, and why it was not met', async () => {
  const waiting = { timeoutMs: 5, intervalMs: 0, what: 'spring' };
  await assert.rejects(
    until(() => '', waiting),
    /in vain for: spring \(last answer: \)/,
  );
  const failing = () => {
    throw new Error('still winter');
  };
  await assert.rejects(until(failing, waiting), /in vain for: spring \(still winter\)/);
});

test('waits longer where every question takes long, as on a busy machine', async () => {
  let asked = 0;
  const slowly = async () => {
    await pause(250);
    return ++asked === 4;
  };
  await until(slowly, { timeoutMs: 350, intervalMs: 0 });
});
