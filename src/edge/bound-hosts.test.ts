import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/random.ts';
import { Bindings } from './bound-hosts.ts';
import { binds, type Binding } from './listeners.ts';
import type { Host } from './model.ts';

void test('a Listener takes the Hosts that fit, in their order, whatever it asks for', () => {
  for (let seed = 0; seed < 300; seed++) {
    const of = new Random(seed);
    const labels = () =>
      Object.fromEntries(
        ['a', 'b', 'namespace x'].flatMap((name) => (of.chance(0.5) ? [[name, of.pick(['1', '2'])]] : [])),
      );
    const hosts = Array.from({ length: 8 }, (_, at) => {
      const policy = of.chance(0.9) ? { labels: labels(), spec: {} } : undefined;
      return { name: `h${at}`, namespace: of.pick(['x', 'y']), policy } as unknown as Host;
    });
    const strict = of.chance(0.5);
    const bindings = new Bindings(hosts, strict);
    for (let asked = 0; asked < 8; asked++) {
      const binding = { namespace: of.pick(['x', 'y', 'z', undefined]), selector: labels() } as unknown as Binding;
      const fitting = hosts.filter((host) => binds(binding, host, strict));
      assert.deepEqual(bindings.of(binding).hosts, fitting, `seed ${seed}`);
    }
  }
});
