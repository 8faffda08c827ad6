import { dump } from 'js-yaml';
import type { EdgeObject } from '../src/edge/input.ts';
import type { KubeObject } from '../src/kube/object.ts';

const HOSTS = 300;
const TEAMS = 40;
const API = 'getambassador.io/v3alpha1';
const WORDS = ['cart', 'orders', 'search', 'profile', 'payments', 'catalog', 'reviews', 'shipping', 'media', 'admin'];

/**
 * An edge of many teams: `mappings` over 300 Hosts with TLS, each team a source with a namespace of its own. One in twenty is
 * the canary of the one before, one in fifty a regular expression, some ask for a method or a header.
 */
export function edgeObjects(mappings: number): EdgeObject[] {
  const hosts = Array.from({ length: HOSTS }, (_, index) => host(index));
  const services = Array.from({ length: TEAMS * WORDS.length }, (_, index) => service(index));
  return [...platform(), ...hosts, ...services, ...Array.from({ length: mappings }, (_, index) => mapping(index))];
}

/** The same Mapping with another service: a commit of one line. */
export function changed({ object, origin }: EdgeObject, round: number): EdgeObject {
  const spec = { ...(object['spec'] as object), timeout_ms: 5_000 + round };
  return { object: { ...object, spec }, origin };
}

/** One file for each object. */
export function edgeFiles(objects: readonly EdgeObject[]): Map<string, string> {
  return new Map(objects.map(({ object, origin }) => [origin.file!, dump(object)]));
}

function mapping(index: number): EdgeObject {
  const isCanary = index % 20 === 19;
  const base = isCanary ? index - 1 : index;
  const team = base % TEAMS;
  const word = WORDS[base % WORDS.length]!;
  const path = `/${word}/v${1 + (base % 3)}/${base}/`;
  const spec = {
    hostname: hostName(base % HOSTS),
    ...(index % 50 === 7 ? { prefix: `${path}(items|lines)/[0-9]+`, prefix_regex: true } : { prefix: path }),
    service: isCanary ? `${word}-next:8080` : `${word}:8080`,
    timeout_ms: 3_000,
    ...(isCanary && { weight: 10 }),
    ...(index % 33 === 0 && { method: 'POST' }),
    ...(index % 41 === 0 && { headers: { 'x-tenant': `tenant-${index % 7}` } }),
  };
  return declared('Mapping', team, `${word}-${base}${isCanary ? '-canary' : ''}`, { spec });
}

function host(index: number): EdgeObject {
  const spec = {
    hostname: hostName(index),
    tlsSecret: { name: `certificate-${index}` },
    tls: { min_tls_version: 'v1.2' },
  };
  return declared('Host', index % TEAMS, `host-${index}`, { spec });
}

function service(index: number): EdgeObject {
  const name = WORDS[Math.floor(index / TEAMS)]!;
  const spec = { ports: [{ name: 'http', port: 8080 }] };
  return declared('Service', index % TEAMS, name, { spec }, 'v1');
}

function platform(): EdgeObject[] {
  const hostBinding = { namespace: { from: 'ALL' } };
  return [
    declared('Listener', 0, 'http', { spec: { port: 8080, protocol: 'HTTP', securityModel: 'XFP', hostBinding } }),
    declared('Listener', 0, 'https', { spec: { port: 8443, protocol: 'HTTPS', securityModel: 'XFP', hostBinding } }),
    declared('Module', 0, 'ambassador', { spec: { config: { diagnostics: { enabled: false } } } }),
  ];
}

function hostName(index: number): string {
  return `${WORDS[index % WORDS.length]}-${index}.example.com`;
}

function declared(kind: string, team: number, name: string, fields: object, apiVersion = API): EdgeObject {
  const namespace = `team-${team}`;
  const object: KubeObject = { apiVersion, kind, metadata: { name, namespace }, ...fields };
  return {
    object,
    origin: { source: `${namespace}/config`, file: `${namespace}/${kind.toLowerCase()}-${name}.yaml`, line: 1 },
  };
}
