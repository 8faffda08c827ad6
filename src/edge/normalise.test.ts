import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normalise } from './normalise.ts';

const BASE = { prefix: '/x/', service: 'web' };
const READ = { ...BASE, hostname: '*' };

/** A v2 spec → what it is in v3alpha1. */
const MAPPINGS: Record<string, [written: object, read: object]> = {
  'no host is every host': [{}, {}],
  'an empty host is every host': [{ host: '' }, {}],
  'a host is a hostname': [{ host: 'a.com' }, { hostname: 'a.com' }],
  'a host that is a regular expression stays': [
    { host: '.*', host_regex: true },
    { host: '.*', host_regex: true, hostname: undefined },
  ],
  'the marker is no host': [{ host: '_skip_mapping_with_empty_host_' }, { hostname: undefined }],
  'hostname is not known': [{ hostname: 'a.com' }, {}],
  'an id may be text': [{ ambassador_id: 'blue' }, { ambassador_id: ['blue'] }],
  'a mangled id is the id': [
    { ambassador_id: ['--apiVersion-v3alpha1-only--default'] },
    { ambassador_id: ['default'] },
  ],
  'tls true is https': [{ tls: true }, { service: 'https://web' }],
  'tls true wins over http': [{ tls: true, service: 'HTTP://web:80' }, { service: 'https://web:80' }],
  'tls true and https is https': [{ tls: true, service: 'https://web' }, { service: 'https://web' }],
  'tls false is none': [{ tls: false }, {}],
  'tls null is none': [{ tls: null }, {}],
  'tls without text is none': [{ tls: '' }, {}],
  'tls is a context': [{ tls: 'ctx' }, { tls: 'ctx' }],
  'headers that are true match any value': [
    { headers: { 'x-a': true, 'x-b': '1', 'x-c': false } },
    { headers: { 'x-b': '1' }, regex_headers: { 'x-a': '.*' } },
  ],
  'a regular expression of the same name wins': [
    { query_parameters: { q: true }, regex_query_parameters: { q: 'a+' } },
    { regex_query_parameters: { q: 'a+' } },
  ],
  'lists may be text': [{ remove_request_headers: 'x-a' }, { remove_request_headers: ['x-a'] }],
  'added headers may be text': [
    { add_request_headers: { a: 'b', c: { value: 'd', append: false }, e: null } },
    { add_request_headers: { a: { value: 'b' }, c: { value: 'd', append: false }, e: {} } },
  ],
  'origins are split at commas': [
    { cors: { origins: 'http://a,http://b', methods: 'GET' } },
    { cors: { origins: ['http://a', 'http://b'], methods: ['GET'] } },
  ],
  'labels have four spellings': [
    {
      labels: {
        d: [
          { g: ['remote_address', 'word', { generic_key: 'v' }, { k: { header: 'x-k', omit_if_not_present: true } }] },
        ],
      },
    },
    {
      labels: {
        d: [
          {
            g: [
              { remote_address: { key: 'remote_address' } },
              { generic_key: { value: 'word' } },
              { generic_key: { value: 'v' } },
              { request_headers: { key: 'k', header_name: 'x-k', omit_if_not_present: true } },
            ],
          },
        ],
      },
    },
  ],
  'fields of v3alpha1 carry a prefix': [
    { v3StatsName: 's', v3health_checks: [{}] },
    { stats_name: 's', health_checks: [{}] },
  ],
  'their v3alpha1 names are not known': [{ stats_name: 's', v2BoolHeaders: ['x'] }, {}],
  'values of a wrong type stay': [
    { host: 5, headers: 'x', cors: 7, labels: null, ambassador_id: 5n, tls: 3 },
    { hostname: 5, headers: 'x', cors: 7, labels: null, ambassador_id: 5n },
  ],
};

describe('a Mapping of v2', () => {
  for (const [title, [written, read]] of Object.entries(MAPPINGS)) {
    it(title, () => {
      const expected = Object.entries({ ...READ, ...read }).filter(([, value]) => value !== undefined);
      for (const version of ['v1', 'v2']) {
        assert.deepEqual(normalise('Mapping', version, { ...BASE, ...written }), Object.fromEntries(expected));
      }
    });
  }

  it('stays as it is in v3alpha1', () => {
    const spec = { prefix: '/x/', tls: true, host: 'a.com' };
    assert.equal(normalise('Mapping', 'v3alpha1', spec), spec);
  });
});

describe('other kinds of v2', () => {
  const cases: [kind: string, written: object, read: object][] = [
    ['Host', { ambassadorId: 'blue', hostname: 'a.com' }, { ambassador_id: ['blue'], hostname: 'a.com' }],
    ['Host', { selector: { matchLabels: { a: 'b' } } }, { mappingSelector: { matchLabels: { a: 'b' } } }],
    ['Host', { tls: { v3CRLSecret: 'crl', sni: 'x' } }, { tls: { sni: 'x', crl_secret: 'crl' } }],
    ['TLSContext', { v3CRLSecret: 'crl' }, { crl_secret: 'crl' }],
    ['AuthService', { auth_service: 'auth', tls: true }, { auth_service: 'https://auth' }],
    ['TCPMapping', { service: 'db', port: 1, tls: false }, { service: 'db', port: 1 }],
    ['TracingService', { tag_headers: ['x'] }, { custom_tags: [{ tag: 'x', request_header: { name: 'x' } }] }],
    ['Module', { config: { a: 1 }, ambassador_id: 'b' }, { config: { a: 1 }, ambassador_id: ['b'] }],
    ['Listener', { port: 1 }, { port: 1 }],
  ];
  for (const [kind, written, read] of cases) {
    it(`${kind} ${JSON.stringify(written)}`, () => {
      assert.deepEqual(normalise(kind, 'v2', written as Record<string, unknown>), read);
    });
  }
});
