import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSecretName, MASK, maskedObject, shownAgain, shownPath, shownValue } from './mask.ts';

const HIDDEN = 'hunter2';

describe('a shown value', () => {
  const SHOWN: [kind: string, path: string, value: unknown, text: string | undefined][] = [
    ['Deployment', '/spec/replicas', 5, '5'],
    ['Deployment', '/spec/template/spec/containers[name=app]/image', 'app:1', 'app:1'],
    ['Deployment', '/spec/template/spec/containers[name=app]/args', ['--a', '--b'], '["--a","--b"]'],
    ['Deployment', '/spec/replicas', undefined, undefined],
    ['Deployment', '/spec/x', null, 'null'],
    ['Deployment', '/spec/template/spec/automountServiceAccountToken', false, 'false'],
    ['Deployment', '/spec/template/spec/imagePullSecrets[name=a]', { name: 'regcred' }, '{"name":"regcred"}'],
    [
      'Deployment',
      '/spec/template/spec/volumes[name=s]/secret',
      { secretName: 'tls', items: [{ key: 'a', path: 'b' }] },
      '{"secretName":"tls","items":[{"key":"a","path":"b"}]}',
    ],
    ['Secret', '/type', 'Opaque', 'Opaque'],
    ['Secret', '/metadata/labels/team', 'shop', 'shop'],
    ['Host', '/spec/tlsSecret/name', 'cert', 'cert'],
    ['Host', '/spec/tlsSecret', { name: 'cert' }, '{"name":"cert"}'],
    ['TLSContext', '/spec/secret', 'cert', 'cert'],
    ['TLSContext', '/spec/ca_secret', 'ca.certs', 'ca.certs'],
    ['ConfigMap', '/data/log', 'level: debug\nkey: value', 'level: debug\nkey: value'],
    ['Ingress', '/spec/url', 'https://example.com/a:b@c', 'https://example.com/a:b@c'],
  ];
  for (const [kind, path, value, text] of SHOWN) {
    it(`${kind} ${path}`, () => assert.equal(shownValue(value, { kind, path, mode: 'Show' }), text));
  }

  const SECRET: [kind: string, path: string, value: unknown][] = [
    ['Secret', '/data', { user: HIDDEN }],
    ['Secret', '/data/harmless', HIDDEN],
    ['Secret', '/stringData/x', HIDDEN],
    ['Secret', '', { apiVersion: 'v1', kind: 'Secret', data: { x: HIDDEN } }],
    [
      'Secret',
      '/metadata/annotations',
      { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"x":"${HIDDEN}"}}` },
    ],
    ['Secret', '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration', HIDDEN],
    ['ConfigMap', '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration', HIDDEN],
    ['ConfigMap', '/data/password', HIDDEN],
    ['ConfigMap', '/data/tls.key', HIDDEN],
    ['ConfigMap', '/metadata/annotations/example.com~1api-token', HIDDEN],
    ['ConfigMap', '/metadata/annotations/example.com~1settings', JSON.stringify({ a: [{ db: { password: HIDDEN } }] })],
    [
      'ConfigMap',
      '/metadata/annotations/example.com~1settings',
      JSON.stringify({ inner: JSON.stringify({ token: HIDDEN }) }),
    ],
    [
      'ConfigMap',
      '/metadata/annotations/example.com~1object',
      JSON.stringify({ kind: 'Secret', data: { plain: HIDDEN } }),
    ],
    [
      'ConfigMap',
      '/metadata/annotations/example.com~1list',
      JSON.stringify({ items: [{ kind: 'Secret', stringData: { plain: HIDDEN } }] }),
    ],
    ['ConfigMap', '/data/app.yaml', `db:\n  host: x\n  password: ${HIDDEN}\n`],
    ['ConfigMap', '/data/app.yaml', `db:\n  password: |\n    ${HIDDEN}\n    ${HIDDEN}\n  host: x`],
    ['ConfigMap', '/data/app.env', `HOST=x\nDB_PASSWORD=${HIDDEN} more of it`],
    ['ConfigMap', '/data/dsn.txt', `host=x password=${HIDDEN}`],
    ['ConfigMap', '/data/url', `postgres://user:${HIDDEN}@db/x`],
    ['ConfigMap', '/data/headers', `Authorization: Bearer ${HIDDEN}`],
    ['ConfigMap', '/data/broken', `{"password": "${HIDDEN}"`],
    ['Deployment', '/spec/template/spec/containers[name=app]/args', ['--token', HIDDEN]],
    ['Deployment', '/spec/template/spec/containers[name=app]/args', ['--db-password=' + HIDDEN, '-v']],
    [
      'Deployment',
      '/spec/template/spec/containers[name=side]',
      { name: 'side', command: ['run', '--api-key', HIDDEN], env: [{ name: 'TOKEN', value: HIDDEN }] },
    ],
    ['ConfigMap', '/data/pem', `-----BEGIN PRIVATE KEY-----\n${HIDDEN}`],
    ['Deployment', '/spec/template/spec/containers[name=app]/env[name=DB_PASSWORD]/value', HIDDEN],
    [
      'Deployment',
      '/spec/template/spec/containers[name=app]/env[name=DB_PASSWORD]',
      { name: 'DB_PASSWORD', value: HIDDEN },
    ],
    ['Deployment', '/spec/template/spec/containers[name=app]/env', [{ name: 'API_TOKEN', value: HIDDEN }]],
    ['Deployment', '/spec/template/spec/containers', [{ name: 'app', env: [{ name: 'clientSecret', value: HIDDEN }] }]],
    ['AuthService', '/spec', { credentials: { value: HIDDEN, list: [HIDDEN] } }],
    ['Thing', '/spec/tokens', [HIDDEN]],
    ['Thing', '/spec', { pin: { password: 123456 } }],
  ];
  for (const [kind, path, value] of SECRET) {
    for (const mode of ['Show', 'Hash', 'Hide'] as const) {
      it(`${kind} ${path} never tells a secret (${mode})`, () => {
        const text = shownValue(value, { kind, path, mode })!;
        assert.ok(!text.includes(HIDDEN) && !text.includes('123456'), text);
        // What is left of it looks the same for another secret: not even its hash or length tells.
        const other = JSON.parse(
          JSON.stringify(value).replaceAll(HIDDEN, 'correct-horse').replaceAll('123456', '99'),
        ) as unknown;
        assert.equal(shownValue(other, { kind, path, mode }), text);
      });
    }
  }

  it('is hidden further when a stricter mode is set, never less', () => {
    const hashed = shownAgain('app:1', 'Hash');
    assert.match(hashed, /^sha256:[0-9a-f]{16} \(5 bytes\)$/);
    const rows = [
      [shownAgain('app:1', 'Show'), 'app:1'],
      [shownAgain('app:1', 'Hide'), MASK],
      [shownAgain(hashed, 'Hash'), hashed],
      [shownAgain(hashed, 'Hide'), MASK],
      [shownAgain(MASK, 'Hash'), MASK],
    ] as const;
    for (const [shown, wanted] of rows) assert.equal(shown, wanted);
  });

  it('says around a secret what is none', () => {
    const text = shownValue('db:\n  password: |\n    a\n    b\n  host: x', {
      kind: 'ConfigMap',
      path: '/data/a',
      mode: 'Show',
    });
    assert.equal(text, `db:\n  password: ${MASK}\n  host: x`);
    assert.equal(
      shownValue('{"a":1,"token":"t"}', { kind: 'ConfigMap', path: '/data/a', mode: 'Show' }),
      `{"a":1,"token":"${MASK}"}`,
    );
  });

  it('is short: 256 bytes, then hash and length', () => {
    const shown = (value: string): string => shownValue(value, { kind: 'X', path: '/a', mode: 'Show' })!;
    assert.equal(shown('x'.repeat(256)), 'x'.repeat(256));
    assert.match(shown('x'.repeat(257)), /^sha256:[0-9a-f]{16} \(257 bytes\)$/);
    assert.match(shown('é'.repeat(129)), /\(258 bytes\)$/);
    assert.equal(shown('x'.repeat(100_000)), MASK);
    assert.notEqual(shown('x'.repeat(300)), shown('y'.repeat(300)));
  });

  it('is hashed or hidden when the source says so', () => {
    assert.match(shownValue(5, { kind: 'X', path: '/a', mode: 'Hash' })!, /^sha256:[0-9a-f]{16} \(1 bytes\)$/);
    assert.equal(shownValue(5, { kind: 'X', path: '/a', mode: 'Hide' }), MASK);
  });

  it('takes hostile text in linear time', () => {
    for (const text of [
      'a'.repeat(60_000),
      'a.'.repeat(30_000),
      ' '.repeat(60_000),
      'a: '.repeat(20_000),
      '://'.repeat(20_000),
      '['.repeat(60_000),
      '{"a":'.repeat(10_000),
    ]) {
      assert.ok(shownValue(text, { kind: 'X', path: '/a', mode: 'Show' }));
    }
  });
});

describe('names of secrets', () => {
  const NAMES: [name: string, secret: boolean][] = [
    ...[
      'password',
      'DB_PASSWORD',
      'dbPassword',
      'client-secret',
      'API_TOKEN',
      'accessToken',
      'apiKey',
      'tls.key',
      'private_key',
      'aws_secret_access_key',
      'credentials',
      'Authorization',
      'passwd',
      'APIKEY',
    ].map((name): [string, boolean] => [name, true]),
    ...[
      'key',
      'topologyKey',
      'secretName',
      'secretRef',
      'secretKeyRef',
      'tokenExpirationSeconds',
      'passwordPolicy',
      'monkey',
      'keyword',
      'serviceAccountName',
      '',
    ].map((name): [string, boolean] => [name, false]),
  ];
  for (const [name, secret] of NAMES)
    it(`${JSON.stringify(name)}: ${secret}`, () => assert.equal(isSecretName(name), secret));
});

describe('a whole object', () => {
  it('is masked in a copy', () => {
    const object = {
      kind: 'Secret',
      metadata: { name: 'x', annotations: { a: '{"token":"t"}' } },
      data: { password: 'x', plain: 'y' },
      type: 'Opaque',
    };
    const before = structuredClone(object);
    assert.deepEqual(maskedObject(object), {
      kind: 'Secret',
      metadata: { name: 'x', annotations: { a: `{"token":"${MASK}"}` } },
      data: { password: MASK, plain: MASK },
      type: 'Opaque',
    });
    assert.deepEqual(object, before);
  });
});

describe('a shown path', () => {
  const PATHS: [path: string, shown: string][] = [
    ['/spec/template/spec/containers[name=app]/image', '/spec/template/spec/containers[name=app]/image'],
    [`/spec/clients[id=a,token=${HIDDEN}]/scopes`, '/spec/clients[id=a,token=***]/scopes'],
    [`/spec/clients[apiKey=${HIDDEN}]`, '/spec/clients[apiKey=***]'],
    ['/metadata/finalizers[=example.com/x]', '/metadata/finalizers[=example.com/x]'],
    ['/metadata/annotations/a=b', '/metadata/annotations/a=b'],
  ];
  for (const [path, shown] of PATHS) it(path, () => assert.equal(shownPath(path), shown));
});
