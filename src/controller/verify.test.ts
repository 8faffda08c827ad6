import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';
import { verify } from './verify.ts';

it('a kind that cannot be listed is tried again once, however often somebody has asked meanwhile', async () => {
  const clock = new ManualClock();
  const woken: string[] = [];
  const ConfigMaps = { apiVersion: 'v1', kind: 'ConfigMap' };
  const source = { key: 'n/s', name: 's', namespace: 'n', kinds: [ConfigMaps], unlisted: [] } as unknown as Source;
  const deps = {
    clock,
    wake: (key: string) => woken.push(key),
    live: { doubt() {} },
    log: { warn() {} },
    discovery: { cached: () => ConfigMaps },
    api: {
      list() {
        throw new Error('500');
      },
    },
  } as unknown as ReconcileDeps;
  for (let asked = 0; asked < 5; asked += 1) await verify(source, deps, new AbortController().signal);
  clock.advance(600_000);
  assert.deepEqual(woken, ['n/s']);
});
