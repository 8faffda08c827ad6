import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecretShape } from './input.ts';
import type { Spec } from './model.ts';
import { foundIn, secretNamed, Secrets, shapeOfSecret } from './secrets.ts';
import { DEFAULT_EDGE_SETTINGS as settings } from './input.ts';

function shape(type: string | undefined, ...keys: string[]): SecretShape {
  return { name: 's', namespace: 'n', keys: new Set(keys), ...(type !== undefined && { type }) };
}

void test('a Secret is of use when it is of a known type and holds something public', () => {
  const tls = foundIn(shape('kubernetes.io/tls', 'tls.crt', 'tls.key'));
  assert.ok(tls?.certificate && tls.privateKey && !tls.userKey && !tls.rootCertificate);
  const istio = foundIn(shape('istio.io/key-and-cert', 'cert-chain.pem', 'key.pem', 'root-cert.pem'));
  assert.ok(istio?.certificate && istio.privateKey && istio.rootCertificate);
  assert.ok(foundIn(shape(undefined, 'crl.pem'))?.userKey);
  assert.equal(foundIn(shape('Opaque', 'tls.key')), undefined);
  assert.equal(foundIn(shape('Opaque', 'ca.crt')), undefined);
  assert.equal(foundIn(shape('example.com/ca', 'tls.crt')), undefined);
});

void test('keys without a value do not count, and values are not kept', () => {
  const metadata = { name: 's', namespace: 'n' };
  const data = { 'tls.crt': 'WA==', 'tls.key': '', 'ca.crt': null };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data, stringData: { 'crl.pem': 'x' } };
  assert.deepEqual(shapeOfSecret(object), { ...metadata, type: 'Opaque', keys: new Set(['tls.crt', 'crl.pem']) });
});

void test('what is no text in a key that holds PEM is not there: a certificate in DER', () => {
  const der = Buffer.from([0x30, 0x82, 0x01, 0xff]).toString('base64');
  const pem = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
  const folded = `${pem.slice(0, 8)}\n${pem.slice(8)}`;
  const data = { 'tls.crt': der, 'tls.key': pem, 'crl.pem': folded, 'key.pem': 'no base64!', 'ca.jks': der };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n' }, data };
  const { keys } = shapeOfSecret(object);
  assert.deepEqual(keys, new Set(['tls.key', 'crl.pem', 'key.pem', 'ca.jks']));
  assert.equal(
    foundIn({ name: 's', namespace: 'n', keys: new Set([...keys].filter((key) => key !== 'crl.pem')) }),
    undefined,
  );
});

void test('what is among the objects goes before what exists elsewhere', () => {
  const metadata = { name: 's', namespace: 'n' };
  const broken = { apiVersion: 'v1', kind: 'Secret', metadata, data: {} };
  const everywhere = (name: string, namespace: string): SecretShape => ({
    name,
    namespace,
    keys: new Set(['tls.crt']),
  });
  const secrets = new Secrets({ objects: [{ object: broken, origin: {} }], secret: everywhere, settings });
  assert.equal(secrets.find('s', 'n', undefined), undefined);
  assert.equal(secrets.find('s', 'other', undefined)?.namespace, 'other');
});

void test('a Secret with a dotted name answers for the other reading of its name once it was asked for', () => {
  const everywhere = (name: string, namespace: string): SecretShape => ({
    name,
    namespace,
    keys: new Set(['tls.crt']),
  });
  const secrets = new Secrets({ objects: [], secret: everywhere, settings });
  assert.equal(secrets.find('a', 'b', undefined)?.name, 'a');
  assert.equal(secrets.find('a.b', 'c', undefined)?.name, 'a.b');
  assert.deepEqual(
    [secrets.find('a', 'b', undefined)?.name, secrets.find('a', 'b', undefined)?.namespace],
    ['a.b', 'c'],
  );
});

void test('an Emissary that is confined to its namespace finds no Secret elsewhere', () => {
  const everywhere = (name: string, namespace: string): SecretShape => ({
    name,
    namespace,
    keys: new Set(['tls.crt']),
  });
  const secrets = new Secrets({ objects: [], secret: everywhere, settings: { ...settings, singleNamespace: true } });
  assert.equal(secrets.find('s', settings.namespace, undefined)?.name, 's');
  assert.equal(secrets.find('s', 'other', undefined), undefined);
});

void test('a dot in the name of a Secret stands before its namespace, unless somebody says otherwise', () => {
  const table: [Spec, string, boolean, string, string][] = [
    [{}, 's', true, 's', 'n'],
    [{}, 's.other', true, 's', 'other'],
    [{}, 'istio.s.other', true, 'istio.s', 'other'],
    [{}, 's.other', false, 's.other', 'n'],
    [{ secret_namespacing: false }, 's.other', true, 's.other', 'n'],
    [{ secret_namespacing: true }, 's.other', false, 's', 'other'],
  ];
  for (const [spec, written, namespacing, name, namespace] of table) {
    assert.deepEqual(secretNamed(written, { namespace: 'n', spec }, namespacing), { name, namespace }, written);
  }
});

test('whoever must not know of a Secret is answered as if it were there', () => {
  const hides = (source: string, name: string, namespace: string) => {
    assert.equal(name, 's');
    return source === 'blog/app' && namespace === 'shop';
  };
  const of = (source: string) => ({ origin: { source } });
  for (const secret of [() => undefined, () => ({ name: 's', namespace: 'shop', keys: new Set(['tls.crt']) })]) {
    const secrets = new Secrets({ objects: [], secret, settings, hides });
    const told = secrets.find('s', 'shop', of('blog/app'));
    assert.deepEqual([told?.certificate, told?.privateKey, told?.userKey], [true, true, true]);
    assert.notEqual(secrets.find('s', 'shop', of('shop/app'))?.privateKey, true);
    assert.notEqual(secrets.find('s', 'shop', undefined)?.privateKey, true);
  }
});
