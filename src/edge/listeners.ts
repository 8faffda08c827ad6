import { GLOBAL_KEY, type Compilation } from './compilation.ts';
import type { Host, Listener, Policy, TcpGroup } from './model.ts';
import { labelsMatch, matchLabelsOf } from './selector.ts';
import { shown } from './shown.ts';
import { isRecord, numberAt, recordAt, textAt, valueAt } from './spec.ts';

const ANY_ADDRESS = '0.0.0.0';
const SECURITY_MODELS = ['XFP', 'SECURE', 'INSECURE'] as const;

/** What `protocol` stands for (ir/irlistener.py). */
const PROTOCOL_STACKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['HTTP', ['HTTP', 'TCP']],
  ['HTTPS', ['TLS', 'HTTP', 'TCP']],
  ['HTTPPROXY', ['PROXY', 'HTTP', 'TCP']],
  ['HTTPSPROXY', ['TLS', 'PROXY', 'HTTP', 'TCP']],
  ['TCP', ['TCP']],
  ['TLS', ['TLS', 'TCP']],
]);

/** A valid Listener before one knows what it serves. */
export interface Binding {
  readonly listener: Omit<Listener, 'httpFilters' | 'hosts' | 'chains'>;
  /** What its errors are posted under. */
  readonly key: string;
  /** Whose Hosts it takes; undefined: those of all namespaces. */
  readonly namespace: string | undefined;
  /** matchLabels that a Host must have. */
  readonly selector: Readonly<Record<string, string>>;
  /** An error was posted for it; it is in force all the same. */
  readonly errored: boolean;
}

/** `socketProtocol-address-port`: there is one Listener for each. */
export type BindTo = string;

/**
 * The valid Listeners in the compiler's order; of several for one address and port the first, unless it had an error: that
 * one the next replaces without a word.
 */
export function loadListeners(compilation: Compilation): Map<BindTo, Binding> {
  const bindings = new Map<BindTo, Binding>();
  const { errors } = compilation;
  for (const policy of compilation.of('Listener')) {
    const before = errors.length;
    const binding = bindingOf(policy, compilation);
    if (!binding) continue;
    const bindTo = bindToOf(binding.listener);
    const first = bindings.get(bindTo);
    if (first && !first.errored) {
      dropSecond(policy, binding, first, compilation);
      continue;
    }
    if (first?.listener.policy) {
      const why = 'another Listener replaces it, because an error was posted for it';
      compilation.drop(first.listener.policy, 'duplicate', why, policy);
    }
    bindings.set(bindTo, { ...binding, errored: errors.length > before });
  }
  return bindings;
}

function dropSecond(
  policy: Policy,
  { listener }: Pick<Binding, 'listener'>,
  first: Binding,
  compilation: Compilation,
): void {
  const { name, socketProtocol, address, port } = listener;
  const at = `${socketProtocol.toLowerCase()}://${address}:${port}`;
  compilation.error(GLOBAL_KEY, `Duplicate listener ${name} on ${at}; keeping definition from ${first.key}`);
  compilation.drop(policy, 'duplicate', `another Listener has ${at}`, first.listener.policy);
}

/** Adds a Listener wherever TCPMappings ask for a port that has none. `groups`: in matching order. */
export function addTcpListeners(bindings: Map<BindTo, Binding>, groups: readonly TcpGroup[], namespace: string): void {
  for (const group of groups) {
    const bindTo = bindToOfGroup(group);
    if (bindings.has(bindTo)) continue;
    const address = group.address ?? ANY_ADDRESS;
    bindings.set(bindTo, {
      listener: {
        name: `listener-${address}-${group.port}`,
        policy: undefined,
        port: group.port,
        address,
        socketProtocol: 'TCP',
        protocolStack: group.host === null ? ['TCP'] : ['TLS', 'TCP'],
        securityModel: 'SECURE',
      },
      key: '-internal-',
      namespace,
      selector: {},
      errored: false,
    });
  }
}

export function bindToOf({
  socketProtocol,
  address,
  port,
}: Pick<Listener, 'socketProtocol' | 'address' | 'port'>): BindTo {
  return `${socketProtocol.toLowerCase()}-${address}-${port}`;
}

export function bindToOfGroup({ address, port }: TcpGroup): BindTo {
  return bindToOf({ socketProtocol: 'TCP', address: address ?? ANY_ADDRESS, port });
}

/** Does the Listener take the Host, by namespace and labels? */
export function binds({ namespace, selector }: Binding, host: Host, strict: boolean): boolean {
  if (namespace !== undefined && namespace !== host.namespace) return false;
  return labelsMatch(selector, host.policy?.labels ?? {}, strict);
}

function bindingOf(policy: Policy, compilation: Compilation): Omit<Binding, 'errored'> | undefined {
  const { storedName: name, key, spec } = policy;
  const refuse = (why: string): undefined => {
    compilation.error(key, why);
    compilation.drop(policy, 'invalid', why);
  };
  const stack = stackOf(policy, compilation);
  if (typeof stack === 'string') return refuse(stack);
  const socketProtocol = stack.at(-1);
  if (socketProtocol !== 'TCP' && socketProtocol !== 'UDP') {
    return refuse(
      `TCP or UDP should be the last protocol in the protocolStack. Unable to determine socket protocol for listener ${name}`,
    );
  }
  if (socketProtocol === 'UDP' && !stack.includes('HTTP')) {
    return refuse(`UDP is only supported with HTTP. Invalid protocolStack for listener ${name}`);
  }
  const model = textAt(spec, 'securityModel');
  if (!model) return refuse('securityModel is required');
  // A word that upstream does not know is neither of the other two to it.
  const securityModel = SECURITY_MODELS.find((known) => known === model) ?? 'XFP';
  const hosts = hostBindingOf(policy, compilation);
  if (typeof hosts === 'string') return refuse(hosts);
  const address = textAt(spec, 'bind_address') || ANY_ADDRESS;
  const port = numberAt(spec, 'port') ?? 0;
  const listener = { name, policy, port, address, socketProtocol, protocolStack: stack, securityModel } as const;
  return { listener, key, ...hosts };
}

/** `protocolStack`, or what `protocol` stands for; a text: what is wrong. */
function stackOf({ key, spec }: Policy, compilation: Compilation): readonly string[] | string {
  const written = valueAt(spec, 'protocolStack');
  const protocol = textAt(spec, 'protocol');
  if (Array.isArray(written) && written.length > 0) {
    if (protocol) {
      compilation.error(
        key,
        'protocol and protocolStack may not both be specified; using protocolStack and ignoring protocol',
      );
    }
    return written.map((entry) => (typeof entry === 'string' ? entry : shown(entry)));
  }
  if (!protocol) return 'one of protocol and protocolStack must be specified';
  return PROTOCOL_STACKS.get(protocol) ?? `protocol ${protocol} is not valid`;
}

/** Whose Hosts it takes; a text: what is wrong. */
function hostBindingOf(
  { key, namespace, spec }: Policy,
  compilation: Compilation,
): Pick<Binding, 'namespace' | 'selector'> | string {
  const binding = recordAt(spec, 'hostBinding');
  if (Object.keys(binding).length === 0) return 'hostBinding is required';
  const [namespaces, selector] = [filled(binding['namespace']), filled(binding['selector'])];
  if (!namespaces && !selector) return 'hostBinding must have at least one of namespace or selector';
  const from = textAt(namespaces, 'from')?.toLowerCase();
  if (namespaces && !from) return 'hostBinding.namespace.from is required';
  if (from === 'selector') compilation.error(key, 'hostBinding.namespace.from=selector is not yet supported');
  if (selector && !Object.hasOwn(selector, 'matchLabels')) {
    return 'hostBinding.selector currently supports only matchLabels';
  }
  return { namespace: from === 'all' ? undefined : namespace, selector: matchLabelsOf(selector) };
}

function filled(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) && Object.keys(value).length > 0 ? value : undefined;
}
