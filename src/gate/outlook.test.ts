import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { ManualClock } from '../../test/manual-clock.ts';
import { Turnstile } from '../concurrency/turnstile.ts';
import type { Log } from '../report/log.ts';
import { DEFAULT_GATEWAY } from './gateways.ts';
import type { EdgeJudgements, Judged } from './judgements.ts';
import { EdgeOutlook } from './outlook.ts';
import type { EdgeWorld } from './world.ts';

const SOUND: Judged = {
  findings: [],
  frozen: false,
  size: { routes: 0, hosts: 0 },
  tallies: new Map(),
  setbacks: new Map(),
};

test('an edge that could not be judged is looked at again, though nothing changes on it', async () => {
  const clock = new ManualClock();
  const failures = [new Error('it takes too long'), new Error('it takes too long')];
  const present = () => (failures.length > 0 ? Promise.reject(failures.pop()!) : Promise.resolve(SOUND));
  const told: string[] = [];
  const looks: number[] = [];
  const outlook = new EdgeOutlook({
    world: { hasPolicies: true, sources: () => new Set(['shop/app']), has: () => true } as unknown as EdgeWorld,
    judgements: { present, lacksSecrets: false, sweep: () => undefined } as unknown as EdgeJudgements,
    turn: new Turnstile(),
    gateways: () => [DEFAULT_GATEWAY],
    clock,
    log: { error: () => undefined } as unknown as Log,
    signal: new AbortController().signal,
    edgeOf: () => ({ mode: 'Enforce' }),
    told: (source) => void told.push(source),
    looked: () => void looks.push(clock.elapsed()),
  });
  outlook.lookSoon();
  for (let second = 0; second < 60 && looks.length === 0; second += 1) {
    clock.advance(1_000);
    await tick();
  }
  assert.deepEqual([told, looks.length, failures.length], [['shop/app'], 1, 0]);
});
