import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explain, sentenceOf } from './explain.ts';
import { findingsOf } from './judge.ts';
import { whoServes, type EdgeRequest } from './request.ts';
import { routeTable } from './route-table.ts';
import { host, judgedOf, listener, mapping, object } from './rules/case.ts';

const request: EdgeRequest = { host: 'a.com', path: '/x/', method: 'GET', headers: new Map(), secure: false };

const OBJECTS = [
  listener('emissary/http'),
  host('n/a'),
  host('n/wild', { hostname: '*.b.com' }),
  host('n/redirecting', { hostname: 'r.com', requestPolicy: { insecure: { action: 'Redirect' } } }),
  mapping('n/stable', { service: 'stable' }),
  mapping('n/canary', { service: 'canary', weight: 10 }),
  mapping('n/regex', { prefix: '/api/(v1|v2)/.*', prefix_regex: true, service: 'regex' }),
  mapping('n/hidden', { prefix: '/api/v1/users', service: 'hidden' }),
  mapping('n/leak-a', { prefix: '/leak/', weight: 30 }),
  mapping('n/leak-b', { prefix: '/leak/', weight: 20 }),
  mapping('n/post', { prefix: '/post/', method: 'POST' }),
  mapping('n/wild', { hostname: '*.b.com' }),
  mapping('n/redirecting', { hostname: 'r.com' }),
  mapping('n/unattached', { hostname: 'c.com' }),
];

const CASES: Record<string, [change: Partial<EdgeRequest>, served: string]> = {
  'a canary takes its share': [{}, 'canary 10, stable 90'],
  'the query is no part of the path': [{ path: '/x/?q=/y' }, 'canary 10, stable 90'],
  'the first of two that match gets everything': [{ path: '/api/v1/users' }, 'regex 100'],
  'a regular expression matches whole paths': [{ path: '/api/v3/users' }, '404 100'],
  'weights that do not add up leak': [{ path: '/leak/' }, 'leak-a 30, leak-b 20, 404 50'],
  'another method': [{ path: '/post/' }, '404 100'],
  'its method': [{ path: '/post/', method: 'POST' }, 'post 100'],
  'capitals find the Host, but the match on :authority is exact': [{ host: 'A.COM' }, '404 100'],
  'a wildcard covers what is below it': [{ host: 'x.y.b.com' }, 'wild 100'],
  'and nothing else': [{ host: 'b.com' }, 'no host'],
  'an insecure request is redirected': [{ host: 'r.com' }, 'redirecting→https 100'],
  'a secure one is served': [{ host: 'r.com', secure: true }, 'redirecting 100'],
};

describe('who serves a request', () => {
  const { edge } = judgedOf({ objects: OBJECTS, bare: true });
  for (const [title, [change, expected]] of Object.entries(CASES)) {
    it(title, () => {
      const [answer] = whoServes(edge, { ...request, ...change });
      const served = answer!.served.map(({ route: { policy, action }, share }) => {
        return `${policy.name}${action.kind === 'redirect' ? '→https' : ''} ${share}`;
      });
      const rest = answer!.unserved > 0 ? [`404 ${answer!.unserved}`] : [];
      assert.equal(answer!.vhost ? [...served, ...rest].join(', ') : 'no host', expected);
    });
  }
});

it('each Mapping has a verdict in one sentence', () => {
  const judged = judgedOf({ objects: OBJECTS, bare: true });
  const verdicts = explain(judged.edge, findingsOf(judged));
  const told = new Map([...verdicts].map(([{ kind, name }, verdict]) => [`${kind} ${name}`, sentenceOf(verdict)]));
  assert.equal(told.get('Mapping canary'), 'served on a.com:8080/x/ with 10 %');
  assert.equal(told.get('Mapping hidden'), 'shadowed by Mapping n/regex');
  assert.match(told.get('Mapping unattached')!, /^unserved: ./);
  assert.equal(told.get('Host a'), 'served on a.com:8080');
});

it('the route table shows the connections that TCPMappings take, beside the routes', () => {
  const { edge } = judgedOf({
    objects: [
      listener('emissary/http'),
      host('n/a'),
      mapping('n/web', { service: 'web' }),
      object('TCPMapping', 'n/db', { port: 5432, service: 'db:5432' }),
      object('TCPMapping', 'n/tls', { port: 6432, host: 'db.com', service: 'db:5432' }),
      object('TLSContext', 'n/c', { hosts: ['db.com'], secret: 's', min_tls_version: 'v1.2' }),
    ],
    secrets: ['n/s'],
    bare: true,
  });
  const rows = routeTable(edge).map(({ host: name, path, ports, tls, members }) => {
    const served = members.map(({ object: { name: by }, service, share }) => `${by} ${service} ${share}%`);
    return `${name} ${path.match} ${path.value} ${ports.join(',')} ${tls.https} ${tls.minTls ?? '-'} ${served.join(' ')}`;
  });
  assert.deepEqual(rows, [
    'a.com prefix /x/ 8080 forwarded - web web.n:80 100%',
    'db.com tcp 6432 6432 terminated v1.2 tls db.n:5432 100%',
    '* tcp 5432 5432 none - db db.n:5432 100%',
  ]);
});
