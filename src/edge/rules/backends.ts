import { isIP } from 'node:net';
import type { KubeObject } from '../../kube/object.ts';
import { NONE } from '../../none.ts';
import { aboutPolicies } from '../facts.ts';
import type { Hit, Judged } from '../finding.ts';
import type { EdgeInput } from '../input.ts';
import type { Cluster, Policy } from '../model.ts';
import { objectsOf } from '../objects.ts';
import { describe, partyOf } from '../party.ts';
import { TextPool } from '../pool.ts';
import { Relisted } from '../relisted.ts';
import { shown } from '../shown.ts';
import { listAt, numberAt, textAt, valueAt } from '../spec.ts';
import {
  defaultResolver,
  isQualified,
  looksUpCentrally,
  moduleIn,
  resolversOf,
  sendersOf,
  type Sender,
  writtenService,
} from '../upstream.ts';

/** Namespace → name → Service; only of namespaces of which it is known which Services there are. */
type KnownServices = ReadonlyMap<string, ReadonlyMap<string, KubeObject>>;

/**
 * A backend is called missing only in a namespace of which some Service is known, or all there is: a repository that holds
 * Mappings alone says nothing about Services, and a name with a dot may be a host of the Internet.
 */
export function* backendMissing({ edge, input }: Judged): Iterable<Hit> {
  const known = knownServices(input);
  if (known.size === 0) return;
  const resolvers = resolversOf(edge);
  const usual = defaultResolver(edge);
  const central = looksUpCentrally(edge) ? edge.settings.namespace : undefined;
  const problemOf = (policy: Policy, text: string, encrypted: boolean): Problem | undefined => {
    const target = readTarget(text);
    if (!target || resolvers.get(textAt(policy.spec, 'resolver') || usual) === 'ConsulResolver') return undefined;
    const namespace = target.namespace ?? central ?? policy.namespace;
    const services = known.get(namespace);
    if (!services) return undefined;
    const port = target.port ?? (encrypted ? 443 : 80);
    const service = services.get(target.name);
    if (service && hasPort(service, port)) return undefined;
    if (service) return { text: `Service ${namespace}/${target.name} has no port ${shown(port)}` };
    return {
      text: `no Service ${namespace}/${target.name} among those that are known`,
      missing: { kind: 'Service', namespace, name: target.name },
    };
  };
  // Whoever has one cluster mostly writes the same about it: what was found for one of them is the answer for the others.
  const answers = new Map<Cluster, Answer>();
  const answerTo = ({ policy, cluster }: Sender): Answer => {
    const text = writtenTarget(policy);
    const { namespace } = policy;
    const resolver = policy.spec['resolver'];
    const before = answers.get(cluster);
    if (before?.text === text && before.namespace === namespace && before.resolver === resolver) return before;
    const answer = { text, namespace, resolver, problem: problemOf(policy, text, cluster.tls) };
    answers.set(cluster, answer);
    return answer;
  };
  const hitsOf = (sender: Sender): readonly Hit[] => {
    const { text, problem } = answerTo(sender);
    if (!problem) return NONE;
    const object = partyOf(sender.policy);
    const message = `${describe(object)} sends to ${shown(text)}: ${problem.text}`;
    return [{ object, detail: text, message, ...(problem.missing && { missing: problem.missing }) }];
  };
  const lookups = JSON.stringify([usual, central, [...resolvers], [...known.keys()]]);
  const services = objectsOf(input, 'Service').map(({ object }) => object);
  yield* missingBackends(edge.settings).flatMap(sendersOf(edge), hitsOf, [lookups, ...services]);
}

const missingBackends = Relisted.bySettings<Sender, Hit>();

/** As it stands there; in each run all ten thousand are compared. */
const writtenTarget = aboutPolicies.remembered((policy: Policy) =>
  targets.shared(textAt(policy.spec, 'service') ?? ''),
);
const targets = new TextPool();

type Problem = Pick<Hit, 'missing'> & { readonly text: string };

/** What is wrong with the target of one policy; whoever means the same by the same words gets the same answer. */
interface Answer {
  /** The policy's `service`. */
  readonly text: string;
  readonly namespace: string;
  readonly resolver: unknown;
  readonly problem: Problem | undefined;
}

/** The Service that a policy means; no namespace: the one in which bare names are looked up. */
interface Target {
  readonly name: string;
  readonly namespace: string | undefined;
  /** A text: what stands there is no number. */
  readonly port: number | string | undefined;
}

/** `name`, `name.namespace`, `name.namespace.svc` and what follows that. Undefined: it cannot be a Service. */
function readTarget(text: string): Target | undefined {
  const { host, port } = writtenService(text);
  const [name = '', namespace, cluster] = host.split('.');
  if (name === '' || host === 'localhost' || isIP(host) !== 0 || (cluster !== undefined && cluster !== 'svc')) {
    return undefined;
  }
  return { name, namespace, port: port !== undefined && /^\d+$/.test(port) ? Number(port) : port };
}

const portsOf = new WeakMap<KubeObject, ReadonlySet<number> | 'any'>();

function hasPort(service: KubeObject, wanted: number | string): boolean {
  const known = portsOf.get(service) ?? readPorts(service);
  portsOf.set(service, known);
  return known === 'any' || (typeof wanted === 'number' && known.has(wanted));
}

/** Headless Services and names for other hosts listen wherever their pods and hosts do. */
function readPorts({ spec }: KubeObject): ReadonlySet<number> | 'any' {
  const ports = listAt(spec, 'ports').map((port) => numberAt(port, 'port'));
  if (ports.length === 0 || textAt(spec, 'clusterIP') === 'None' || textAt(spec, 'type') === 'ExternalName')
    return 'any';
  return new Set(ports.filter((port) => port !== undefined));
}

function knownServices(input: EdgeInput): KnownServices {
  const known = new Map<string, Map<string, KubeObject>>();
  // A namespace is one when it holds anything: its last Service may be gone.
  if (input.complete) {
    const namespaces = new Set(input.objects.map(({ object }) => object.metadata.namespace ?? 'default'));
    for (const namespace of namespaces) known.set(namespace, new Map());
  }
  for (const { object } of objectsOf(input, 'Service')) {
    if (object.apiVersion !== 'v1') continue;
    const { name, namespace = 'default' } = object.metadata;
    const services = known.get(namespace);
    if (services) services.set(name, object);
    else known.set(namespace, new Map([[name, object]]));
  }
  return known;
}

export function* qualification({ edge }: Judged): Iterable<Hit> {
  const module = moduleIn(edge);
  const centralNames = looksUpCentrally(edge);
  for (const { redirect } of edge.groups.filter((group) => group.redirect)) {
    if (!redirect || !isBare(redirect)) continue;
    const object = partyOf(redirect);
    const service = shown(textAt(redirect.spec, 'service'));
    yield { object, message: `${describe(object)} redirects to ${service}, which is no full host name` };
  }
  if (!centralNames || !module) return;
  for (const { members } of edge.groups) {
    for (const { policy } of members) {
      if (policy.namespace === edge.settings.namespace || !isBare(policy)) continue;
      const [object, other] = [partyOf(policy), partyOf(module)];
      const service = shown(textAt(policy.spec, 'service'));
      const message = `${describe(object)} sends to ${service}, looked up in namespace ${edge.settings.namespace} because of ${describe(other)}`;
      yield { object, other, message };
    }
  }
}

function isBare({ spec }: Policy): boolean {
  const service = valueAt(spec, 'service');
  if (typeof service !== 'string') return false;
  const { host } = writtenService(service);
  return host !== '' && !isQualified(host);
}
