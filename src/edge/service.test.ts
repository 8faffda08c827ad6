import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normaliseService } from './service.ts';

// [as written in a Mapping of t1, as the compiler goes on with it] – the right side is what urllib gave.
const TABLE: [string, string][] = [
  ['svc', 'svc.t1'],
  ['svc:80', 'svc.t1:80'],
  ['svc.ns', 'svc.ns'],
  ['https://svc', 'https://svc.t1'],
  ['HTTP://Foo', 'http://foo.t1'],
  ['http://svc.ns:80?x=1', 'http://svc.ns:80'],
  ['svc/path', 'svc.t1'],
  ['svc:0', 'svc.t1'],
  ['http://https://svc', 'http://https.t1'],
  ['//svc', 'svc.t1'],
  ['a b', 'a%20b.t1'],
  ['ü', '%C3%BC.t1'],
  ['example.com}:443', 'example.com%7D:443'],
  ['localhost:8080', 'localhost:8080'],
  ['10.0.0.1', '10.0.0.1'],
  ['[::1]:80', '[::1]:80'],
  ['svc_x.ns:80', 'svc_x.ns:80'],
  ['user@svc', 'svc.t1'],
];

const REFUSED: [string, string][] = [
  ['svc:http', "Port could not be cast to integer value as 'http'"],
  ['svc:99999', 'Port out of range 0-65535'],
  ['', 'No hostname'],
  ['::1', 'No hostname'],
  ['%zz', 'Invalid percent-escape in hostname: %zz'],
  ['http://[', 'Invalid IPv6 URL'],
  ['[::1', 'Invalid IPv6 URL'],
  ['[1.2.3.4]', 'An IPv4 address cannot be in brackets'],
];

void test('service texts', () => {
  for (const [written, read] of TABLE) assert.equal(normaliseService(written, 't1'), read, written);
  for (const [written, refused] of REFUSED) assert.deepEqual(normaliseService(written, 't1'), { refused }, written);
});

void test('a name is not completed where Emissary itself lives', () => {
  assert.equal(normaliseService('svc:80', undefined), 'svc:80');
});
