// A port that is handed out and taken a second later must not be given to somebody else in between.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { freePort } from './free-port.ts';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';

it('a free port is none of those that the kernel gives to connections and to whoever asks for any', async (t) => {
  if (!existsSync(RANGE)) return t.skip('only Linux says which these are');
  const [first = 0, last = 0] = readFileSync(RANGE, 'utf8').split(/\s+/).map(Number);
  if (first < 10_000) return t.skip('there are no others');
  for (let round = 0; round < 20; round += 1) {
    const port = await freePort();
    assert.ok(port < first || port > last, `${port} is within ${first} to ${last}`);
  }
});
