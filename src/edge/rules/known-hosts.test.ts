import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../../test/in-time.ts';
import type { Host } from '../model.ts';
import { KnownHosts } from './known-hosts.ts';

function host(hostname: string): Host {
  const nothing = { policy: undefined, context: undefined, insecureAction: 'Redirect', selector: {} } as const;
  return { name: hostname, namespace: 'n', hostname, ...nothing };
}

void test('says why no Host serves a name', () => {
  const hosts = new KnownHosts(['a.com', '*.a.com', 'b.com:80', '*.A.com', 'a.*'].map(host));
  const table: Record<string, string> = {
    'a.com': ': Host n/a.com (a.com) asks for other labels',
    'x.a.com': ': Host n/*.a.com (*.a.com) asks for other labels',
    'x.A.com': ': Host n/*.A.com (*.A.com) asks for other labels',
    '*.A.com': ': Host n/*.A.com (*.A.com) asks for other labels',
    'A.com': ': Host n/a.com has a.com, and letter case counts',
    'b.com': ': Host n/b.com:80 has b.com:80, and ports count',
    'c.com': '',
  };
  for (const [name, reason] of Object.entries(table)) assert.equal(hosts.reason(name), reason, name);
});

const MANY = 20_000;
const many = (name: (at: number) => string) => Array.from({ length: MANY }, (_, at) => name(at));

void test('thousands of names are told of thousands of Hosts at once', () => {
  const hosts = new KnownHosts([...many((at) => `*.h${at}.t`), ...many((at) => `a.t:${at}`)].map(host));
  const asked = [...many((at) => `a.h${at}.t`), ...many((at) => `a.t:${MANY + at}`)];
  const reasons = inTime(5_000, () => asked.map((name) => hosts.reason(name)));
  assert.equal(reasons[7], ': Host n/*.h7.t (*.h7.t) asks for other labels');
  assert.equal(reasons.at(-1), ': Host n/a.t:0 has a.t:0, and ports count');
});
