import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from '../src/edge/compile.ts';
import { DEFAULT_GUARD } from '../src/edge/guard.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeInput, type EdgeObject } from '../src/edge/input.ts';
import { findingsOf } from '../src/edge/judge.ts';
import { setbacksOf } from '../src/edge/setbacks.ts';
import { tallyOf } from '../src/gate/tally.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { observe } from './edge-observed.ts';
import { Random } from './random.ts';

// One edge after the other, each a random change of the last or of one before it: names that collide, routes that meet, hosts,
// selectors and contexts that come and go. What is remembered may make a judgement quick; it may never make it another one.

const SEEDS = 25;
const CHANGES = 30;

const HOSTS = ['a.com', 'b.com', 'www.a.com', '*.a.com', '*'];
const PREFIXES = ['/', '/x/', '/x/y/', '/x', '/z/'];

function mapping(of: Random): object {
  const regex = of.chance(0.15);
  return {
    ...(of.chance(0.9) && { hostname: of.pick(HOSTS) }),
    prefix: regex ? of.pick(['/x/.*', '.*', '/(x|z)/', '/x/(']) : of.pick(PREFIXES),
    ...(regex && { prefix_regex: true }),
    service: of.pick(['web', 'web:8080', 'web.t2', 'https://web', '127.0.0.1:80', 'http://web', '']),
    ...(of.chance(0.3) && { weight: of.pick([10, 50, 90, 120]) }),
    ...(of.chance(0.15) && { precedence: of.pick([1, -1]) }),
    ...(of.chance(0.15) && { method: of.pick(['GET', 'POST']) }),
    ...(of.chance(0.15) && { headers: { [of.pick(['x-a', 'X-A'])]: of.pick(['1', '2']) } }),
    ...(of.chance(0.1) && { shadow: true }),
    ...(of.chance(0.1) && { host_redirect: true }),
    ...(of.chance(0.15) && { tls: of.pick(['c1', 'missing', 'no-cert-upstream', true]) }),
    ...(of.chance(0.1) && { case_sensitive: false }),
    ...(of.chance(0.1) && { timeout_ms: 'soon', tyop: 1 }),
    ...(of.chance(0.1) && { resolver: of.pick(['endpoint', 'consul', 'kubernetes-endpoint']) }),
    ...(of.chance(0.1) && { load_balancer: { policy: of.pick(['round_robin', 'maglev', 'x']) } }),
    ...(of.chance(0.1) && { connect_timeout_ms: of.pick([1, Infinity]) }),
    ...(of.chance(0.1) && { add_request_headers: { $HOME: { value: 'x' } } }),
  };
}

const SPECS: Record<string, (of: Random) => object> = {
  Mapping: mapping,
  Host: (of) => ({
    hostname: of.pick(HOSTS),
    ...(of.chance(0.5) && { tlsSecret: { name: of.pick(['s1', 's2']) } }),
    ...(of.chance(0.5) && { requestPolicy: { insecure: { action: of.pick(['Route', 'Reject', 'Redirect']) } } }),
    ...(of.chance(0.3) && { mappingSelector: { matchLabels: { team: of.pick(['x', 'y']) } } }),
  }),
  TLSContext: (of) => ({ hosts: [of.pick(HOSTS)], secret: of.pick(['s1', 's2', 'none']) }),
  Module: (of) => ({ config: of.chance(0.5) ? { diagnostics: { enabled: false } } : { resolver: 'endpoint' } }),
  TCPMapping: (of) => ({ port: of.pick([9000, 8080]), host: of.pick(HOSTS), service: 'web' }),
  KubernetesEndpointResolver: () => ({}),
};

/** What brings no policy by itself, or by the class that it names. */
const OTHERS: Record<string, (of: Random) => Record<string, unknown>> = {
  Service: (of) => ({ apiVersion: 'v1', spec: { ports: [{ name: 'http', port: of.pick([80, 8080]) }] } }),
  Ingress: (of) => ({
    apiVersion: 'networking.k8s.io/v1',
    spec: {
      ingressClassName: of.pick(['ours', 'theirs']),
      tls: [{ hosts: [of.pick(HOSTS)], secretName: 's1' }],
      rules: [
        {
          host: of.pick(HOSTS),
          http: {
            paths: [
              { path: '/x/', backend: { service: { name: 'web', port: of.pick([{ number: 80 }, { name: 'http' }]) } } },
            ],
          },
        },
      ],
    },
  }),
  IngressClass: (of) => ({
    apiVersion: 'networking.k8s.io/v1',
    spec: { controller: of.pick(['getambassador.io/ingress-controller', 'others']) },
  }),
};

function otherObject(of: Random): EdgeObject {
  const kind = of.pick(Object.keys(OTHERS));
  const metadata =
    kind === 'IngressClass' ? { name: 'ours' } : { name: 'web', namespace: of.pick(['t1', 't2', 'emissary']) };
  return { object: { kind, metadata, ...OTHERS[kind]!(of) } as unknown as KubeObject, origin: {} };
}

/** Mostly Mappings; in three namespaces few names, so that objects replace and rename each other. */
function anyObject(of: Random): EdgeObject {
  if (of.chance(0.15)) return otherObject(of);
  const kind = of.chance(0.75) ? 'Mapping' : of.pick(Object.keys(SPECS));
  const name = kind === 'Module' ? 'ambassador' : of.pick(['c1', 'web', 'web.t1', 'web.x', 'web-canary', 'endpoint']);
  const metadata = {
    name,
    namespace: of.pick(['t1', 't2', 'emissary']),
    ...(of.chance(0.4) && { labels: { team: of.pick(['x', 'y']) } }),
  };
  const object: KubeObject = { apiVersion: 'getambassador.io/v3alpha1', kind, metadata, spec: SPECS[kind]!(of) };
  return {
    object,
    origin: of.chance(0.8) ? { source: `${metadata.namespace}/config`, file: 'edge.yaml', line: 1 } : {},
  };
}

function service(namespace: string): EdgeObject {
  return {
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace },
      spec: { ports: [{ port: 80 }] },
    },
    origin: {},
  };
}

const LISTENER: EdgeObject = {
  object: {
    apiVersion: 'getambassador.io/v3alpha1',
    kind: 'Listener',
    metadata: { name: 'http', namespace: 'emissary' },
    spec: { port: 8080, protocol: 'HTTPS', securityModel: 'XFP', hostBinding: { namespace: { from: 'ALL' } } },
  },
  origin: {},
};

function changed(objects: readonly EdgeObject[], of: Random): readonly EdgeObject[] {
  const at = of.below(objects.length);
  const { object, origin } = objects[at]!;
  switch (of.pick(['add', 'add', 'remove', 'replace', 'respell', 'hand over', 'reorder'])) {
    case 'add':
      return objects.toSpliced(at, 0, anyObject(of));
    case 'remove':
      return objects.toSpliced(at, of.chance(0.2) ? 5 : 1);
    case 'replace':
      return objects.with(at, anyObject(of));
    case 'respell': {
      const spec = { ...(object['spec'] as object), ...(object.kind === 'Mapping' && mapping(of)) };
      return objects.with(at, { object: { ...object, spec }, origin });
    }
    case 'hand over':
      return objects.with(at, { object, origin: { ...origin, source: 'others/config' } });
    default:
      return objects.toReversed();
  }
}

/** Everything that can be seen of a judgement, as text; of what has no order, sorted. */
function judged(objects: readonly EdgeObject[], complete: boolean, settings: EdgeInput['settings']): string {
  const secret = (name: string, namespace: string) =>
    name === 's1' ? { name, namespace, keys: new Set(['tls.crt', 'tls.key']) } : undefined;
  const input = { objects, complete, settings, secret };
  const edge = compileEdge(input);
  const { errors, notices, clusters, ...rest } = observe(edge, { internal: true });
  const drops = edge.drops.map(({ policy, reason, message, by }) => [
    policy.key,
    policy.kind,
    reason,
    message,
    by?.key,
  ]);
  const unordered = [errors, notices, clusters ?? [], drops].map((list) =>
    list.map((one) => JSON.stringify(one)).sort(),
  );
  const findings = findingsOf({ edge, input, guard: DEFAULT_GUARD });
  const shown = [...setbacksOf(edge, findings, 9), ...tallyOf(edge)];
  return JSON.stringify([rest, unordered, findings, shown]);
}

void test('a judgement is the one that is made for the first time, whatever was judged before', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const of = new Random(seed);
    const settings = { ...DEFAULT_EDGE_SETTINGS };
    const base = [LISTENER, service('t1'), service('t2')];
    const worlds: (readonly EdgeObject[])[] = [[...base, ...Array.from({ length: 30 }, () => anyObject(of))]];
    for (let round = 0; round < CHANGES; round++) {
      // Mostly the last one again with a change; sometimes, as between a question and its answer, one from before.
      const from = of.chance(0.7) ? worlds.at(-1)! : of.pick(worlds);
      const world = of.chance(0.9) ? changed(from, of) : from;
      worlds.push(world.length > 4 ? world : worlds[0]!);
      const objects = worlds.at(-1)!;
      const complete = of.chance(0.5);
      const anew = judged(structuredClone(objects), complete, { ...settings });
      assert.equal(judged(objects, complete, settings), anew, `seed ${seed}, change ${round}`);
    }
  }
});
