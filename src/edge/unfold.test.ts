import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { ingressClasses } from './ingress.ts';
import { unfold } from './unfold.ts';

const PORTS = new Map([['shop/web/http', 8080]]);
const READING = {
  classes: new Set(['emissary']),
  ambassadorId: 'default',
  portNamed: (namespace: string, service: string, name: string) => PORTS.get(`${namespace}/${service}/${name}`),
};

function object(apiVersion: string, kind: string, fields: object, metadata: object = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'shop', ...metadata }, ...fields };
}

function shown(given: KubeObject): string[] {
  return unfold(given, READING).map(({ kind, key, refused }) => `${kind} ${key}${refused ? `: ${refused}` : ''}`);
}

describe('an object brings', () => {
  it('itself, read as v3alpha1, with a label of its name', () => {
    const [policy] = unfold(
      object(
        'getambassador.io/v2',
        'Mapping',
        { spec: { prefix: '/', service: 'web', host: 'a.com' } },
        { labels: { a: 'b' } },
      ),
      READING,
    );
    assert.deepEqual(policy?.spec, { prefix: '/', service: 'web', hostname: 'a.com' });
    assert.deepEqual(policy?.labels, { a: 'b', ambassador_crd: 'x.shop' });
    assert.equal(policy?.key, 'x.shop.1');
  });

  it('nothing when the edge does not read it', () => {
    for (const [apiVersion, kind] of [
      ['v1', 'Secret'],
      ['apps/v1', 'Deployment'],
      ['getambassador.io/v3alpha1', 'FilterPolicy'],
      ['serving.knative.dev/v1', 'Service'],
      ['other.io/v1', 'Mapping'],
    ] as const) {
      const annotations = { 'getambassador.io/config': 'kind: Mapping\napiVersion: ambassador/v2\nname: a\n' };
      assert.deepEqual(shown(object(apiVersion, kind, {}, { annotations })), []);
    }
  });

  it('what its annotation holds, in any version where nobody checks it', () => {
    const refused = (apiVersion: string, hasWatcher: boolean): boolean => {
      const annotations = { 'getambassador.io/config': `kind: Mapping\napiVersion: ${apiVersion}\nname: a\n` };
      const parent = object('v1', 'Service', {}, { annotations });
      return unfold(parent, { ...READING, hasWatcher })[0]?.refused !== undefined;
    };
    assert.deepEqual([refused('getambassador.io/v9', true), refused('getambassador.io/v9', false)], [true, false]);
    assert.deepEqual([refused('other.io/v2', true), refused('other.io/v2', false)], [true, true]);
  });

  it('nothing and no crash whatever stands in it', () => {
    for (const value of [null, 5, 'x', [], [[]], { a: null }, 1n]) {
      for (const kind of ['Mapping', 'Host', 'Module', 'Service', 'Ingress']) {
        for (const version of ['getambassador.io/v2', 'getambassador.io/v3alpha1', 'v1', 'networking.k8s.io/v1']) {
          const hostile = {
            name: 'x',
            namespace: 'y',
            labels: value,
            annotations: value,
          } as unknown as KubeObject['metadata'];
          unfold({ apiVersion: version, kind, metadata: hostile, spec: value }, READING);
          unfold(
            { apiVersion: version, kind, metadata: { name: 'x' }, spec: { rules: value, tls: value, backend: value } },
            READING,
          );
        }
      }
    }
  });

  it('the policies of its annotation, numbered; without a name one is skipped, and what the watcher refuses says why', () => {
    const good = 'apiVersion: ambassador/v2\nkind: Mapping\nname: a\nprefix: /a/\nservice: web\n';
    const documents = [
      good,
      good.replace('name: a\n', ''),
      good.replace('name: a', 'name: [n, 9007199254740993]'),
      good.replace('v2', 'v0'),
      good.replace('Mapping', 'Listener'),
      `${good}weight: many\n`,
      `${good}metadata_labels: {a: 5}\n`,
      good.replace('ambassador/v2', 'v1'),
    ];
    const annotations = { 'getambassador.io/config': documents.join('---\n') };
    assert.deepEqual(shown(object('v1', 'Service', {}, { annotations })), [
      'Mapping x.shop.1',
      'Mapping x.shop.2: its name [false, 9007199254740993] is not a text',
      'Mapping x.shop.3: there is no Mapping in version "getambassador.io/v0"',
      'Listener x.shop.4: there is no Listener in version "getambassador.io/v2"',
      'Mapping x.shop.5: spec.weight must be a whole number',
      'Mapping x.shop.6: its labels are not all text',
      'Mapping x.shop.7: there is no Mapping in version "v1"',
    ]);
  });
});

describe('an Ingress brings', () => {
  const backend = { serviceName: 'web', servicePort: 80 };
  const spec = {
    ingressClassName: 'emissary',
    tls: [{ secretName: 's', hosts: ['a.com', 'b.com'] }],
    backend,
    rules: [
      { host: '*.a.com', http: { paths: [{ path: '/e', pathType: 'Exact', backend }, { backend }] } },
      { http: { paths: [{ path: '/v1/', backend: { service: { name: 'web', port: { number: 80 } } } }] } },
    ],
  };

  it('Hosts, then Mappings, tied by a label, then what its annotation holds', () => {
    const annotations = {
      'getambassador.io/config': 'apiVersion: ambassador/v2\nkind: Mapping\nname: a\nprefix: /a/\nservice: web\n',
    };
    assert.deepEqual(shown(object('networking.k8s.io/v1beta1', 'Ingress', { spec }, { annotations })), [
      'Host x-0-0.shop.1',
      'Host x-0-1.shop.2',
      'Mapping x-default-backend.shop.3',
      'Mapping x-0-0.shop.4',
      'Mapping x-0-1.shop.5',
      'Mapping x.shop.6',
    ]);
    const [host, , , exact] = unfold(object('networking.k8s.io/v1beta1', 'Ingress', { spec }), READING);
    const tie = { 'a10r-k8s-ingress': 'a10r-ingress-x-shop' };
    assert.deepEqual(host?.spec['selector'], { matchLabels: tie });
    assert.deepEqual(exact?.labels, tie);
    assert.deepEqual(exact?.spec, {
      ambassador_id: 'default',
      prefix: '/e',
      prefix_exact: true,
      precedence: 1,
      service: 'web.shop:80',
      host: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?\\.a\\.com$',
      host_regex: true,
    });
  });

  // Emissary's watcher hands it to the compiler as extensions/v1beta1 (pkg/kates/k8s_resource_types/ingress.go, NewIngress).
  it('the same when it is written in networking.k8s.io/v1, whose backends are spelled otherwise', () => {
    const to = (port: object) => ({ service: { name: 'web', port } });
    const http = (...backends: object[]) => ({
      http: { paths: backends.map((one, at) => ({ path: `/${at}`, backend: one })) },
    });
    const written = {
      ingressClassName: 'emissary',
      defaultBackend: to({ number: 80 }),
      tls: [{ secretName: 's', hosts: [] }, { secretName: '' }],
      rules: [
        { host: 'a.com', ...http(to({ number: 81 }), to({ name: 'http' }), to({ name: 'grpc' }), to({ name: '82' })) },
        { host: '', http: { paths: [{ path: '', backend: to({ number: 83 }) }, { backend: { resource: {} } }] } },
        http(backend),
      ],
    };
    const made = unfold(object('networking.k8s.io/v1', 'Ingress', { spec: written }), READING);
    assert.deepEqual(
      made.map(({ name, spec: one }) => [name, one['hostname'], one['prefix'], one['service']]),
      [
        ['x-0-0', '*', undefined, undefined],
        ['x-default-backend', '*', '/', 'web.shop:80'],
        ['x-0-0', 'a.com', '/0', 'web.shop:81'],
        // The compiler looks the number up in the Service; what it does not find there it keeps.
        ['x-0-1', 'a.com', '/1', 'web.shop:8080'],
        ['x-0-2', 'a.com', '/2', 'web.shop:grpc'],
        ['x-0-3', 'a.com', '/3', 'web.shop:82'],
        ['x-1-0', undefined, '/', 'web.shop:83'],
      ],
    );
  });

  it('nothing of another class or for another gateway', () => {
    const other = { ...spec, ingressClassName: 'nginx' };
    assert.deepEqual(shown(object('networking.k8s.io/v1', 'Ingress', { spec: other })), []);
    const annotations = { 'getambassador.io/ambassador-id': 'blue' };
    assert.deepEqual(shown(object('networking.k8s.io/v1', 'Ingress', { spec }, { annotations })), []);
  });

  it('the same by its old annotation', () => {
    const annotations = { 'kubernetes.io/ingress.class': 'Ambassador' };
    const old = object('extensions/v1beta1', 'Ingress', { spec: { backend } }, { annotations });
    assert.deepEqual(unfold(old, READING)[0]?.spec, {
      ambassador_id: 'default',
      hostname: '*',
      prefix: '/',
      service: 'web.shop:80',
    });
  });

  it('is of a class whose controller is Emissary', () => {
    const one = (name: string, controller: unknown) =>
      ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name },
        spec: { controller },
      }) as KubeObject;
    const classes = [one('a', 'getambassador.io/Ingress-Controller'), one('b', 'k8s.io/ingress-nginx'), one('c', 5)];
    assert.deepEqual([...ingressClasses(classes, 'default')], ['a']);
    assert.deepEqual([...ingressClasses(classes, 'blue')], []);
  });
});
