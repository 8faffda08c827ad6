import { isIP } from 'node:net';
import { identityOf, type Identity, type KubeObject } from '../kube/object.ts';

/** Something that an edge object names and that has to be there before it. */
export interface EdgeReference {
  readonly identity: Identity;
  /**
   * true: the object waits even when nobody declares it here, because the edge would become less safe without it. false: it
   * waits only when the same source declares it; anything else may be an external host, or live in a place we cannot name.
   */
  readonly mustExist: boolean;
}

const EDGE_GROUP = 'getambassador.io';

interface Owner {
  namespace: string;
  /** Identities that the same source declares: TLSContexts are looked up by bare name across namespaces. */
  declared: readonly Identity[];
}

type Spec = Readonly<Record<string, unknown>>;
type Finder = (spec: Spec, owner: Owner) => EdgeReference[];

const FINDERS: Readonly<Record<string, Finder>> = {
  Host: ofHost,
  TLSContext: ofTlsContext,
  Mapping: (spec, owner) => [
    ...(spec['host_redirect'] === true ? [] : ofUpstream(spec, owner)),
    ...resolver(spec, owner),
  ],
  TCPMapping: (spec, owner) => [...ofUpstream(spec, owner), ...resolver(spec, owner)],
  AuthService: (spec, owner) => ofUpstream({ ...spec, service: spec['auth_service'] }, owner),
  RateLimitService: ofUpstream,
  LogService: ofUpstream,
  TracingService: ofUpstream,
};

/**
 * What an object of Emissary refers to, by the names that Emissary's compiler resolves (emissary.md 2.5 and 3). Empty for
 * every other object. A malformed field refers to nothing: the edge checks report it.
 */
export function edgeReferences(object: KubeObject, declared: readonly Identity[] = []): EdgeReference[] {
  const { group, kind, namespace } = identityOf(object);
  const find = group === EDGE_GROUP ? FINDERS[kind] : undefined;
  return find ? find(mapAt(object, 'spec'), { namespace, declared }) : [];
}

function mapAt(parent: Readonly<Record<string, unknown>>, field: string): Spec {
  const value = parent[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Spec) : {};
}

function textAt(parent: Spec, field: string): string | undefined {
  const value = parent[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Without its certificate Emissary drops the Host, and a default Host may serve the name in cleartext. */
function ofHost(spec: Spec, owner: Owner): EdgeReference[] {
  const references: EdgeReference[] = [];
  const tlsSecret = mapAt(spec, 'tlsSecret');
  const name = textAt(tlsSecret, 'name');
  if (name)
    references.push({
      identity: secret(name, textAt(tlsSecret, 'namespace') ?? owner.namespace),
      mustExist: !isAcme(spec),
    });
  for (const field of ['ca_secret', 'crl_secret']) {
    const trust = textAt(mapAt(spec, 'tls'), field);
    if (trust) references.push({ identity: qualifiedSecret(trust, owner.namespace, true), mustExist: true });
  }
  const context = textAt(mapAt(spec, 'tlsContext'), 'name');
  return [...references, ...(context ? [tlsContext(context, owner)] : [])];
}

/** The ACME client of Edge Stack makes the Secret after it has seen the Host. */
function isAcme(spec: Spec): boolean {
  const authority = textAt(mapAt(spec, 'acmeProvider'), 'authority');
  return authority !== undefined && authority.toLowerCase() !== 'none';
}

/** A missing CA fails open: the Host stays, in cleartext and without asking for client certificates. */
function ofTlsContext(spec: Spec, { namespace }: Owner): EdgeReference[] {
  const namespaced = spec['secret_namespacing'] !== false;
  return ['secret', 'ca_secret', 'crl_secret'].flatMap((field) => {
    const name = textAt(spec, field);
    return name ? [{ identity: qualifiedSecret(name, namespace, namespaced), mustExist: true }] : [];
  });
}

/** `service`, and the TLSContext by which it is called: an unknown one means plaintext to port 80. */
function ofUpstream(spec: Spec, owner: Owner): EdgeReference[] {
  const target = serviceOf(textAt(spec, 'service') ?? '', owner.namespace);
  // `tls` is a boolean in the old versions.
  const context = textAt(spec, 'tls');
  return [
    ...(target ? [{ identity: target, mustExist: false }] : []),
    ...(context ? [tlsContext(context, owner)] : []),
  ];
}

/** Resolvers of all three kinds share their names, and the built-in ones are no objects: only a declared one is waited for. */
function resolver(spec: Spec, { declared }: Owner): EdgeReference[] {
  const name = textAt(spec, 'resolver');
  const named = declared.filter((identity) => identity.kind.endsWith('Resolver') && identity.name === name);
  return named.map((identity) => ({ identity, mustExist: false }));
}

function secret(name: string, namespace: string): Identity {
  return { group: '', kind: 'Secret', namespace, name };
}

/** In a TLSContext a dot separates the namespace, unless secret_namespacing is false. The last one: names may hold dots. */
function qualifiedSecret(text: string, namespace: string, namespaced: boolean): Identity {
  const dot = namespaced ? text.lastIndexOf('.') : -1;
  return dot > 0 ? secret(text.slice(0, dot), text.slice(dot + 1)) : secret(text, namespace);
}

/** References carry no namespace and Emissary looks in all of them: the own one first, then what the source declares. */
function tlsContext(name: string, { namespace, declared }: Owner): EdgeReference {
  const own = { group: EDGE_GROUP, kind: 'TLSContext', namespace, name };
  const known = declared.filter(
    (identity) => identity.group === EDGE_GROUP && identity.kind === 'TLSContext' && identity.name === name,
  );
  return { identity: known.find((identity) => identity.namespace === namespace) ?? known[0] ?? own, mustExist: false };
}

/**
 * The Service that a `service` text may mean: `[http[s]://]host[:port]`, anything after a slash ignored. A host with a dot is
 * `name.namespace`, possibly with `.svc` and a cluster domain behind; it may just as well be an external one.
 */
function serviceOf(text: string, namespace: string): Identity | undefined {
  const host = text
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .split(/[/?#]/, 1)[0]!
    .replace(/:\d*$/, '');
  if (host === '' || host === 'localhost' || isIP(host) !== 0 || !/^[a-z0-9.-]+$/i.test(host)) return undefined;
  const [name = '', inNamespace, svc] = host.split('.');
  if (svc !== undefined && svc !== 'svc') return undefined;
  return { group: '', kind: 'Service', namespace: inNamespace ?? namespace, name };
}
