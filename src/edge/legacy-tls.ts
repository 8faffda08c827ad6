import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import type { ContextSource } from './context-draft.ts';
import type { Policy, Spec } from './model.ts';
import { isRecord, recordAt, valueAt } from './spec.ts';

/** Fields of a Module that are no TLS settings. */
const OTHER_FIELDS = new Set([
  'server',
  'client',
  'name',
  'namespace',
  'metadata_labels',
  'location',
  'kind',
  'enabled',
]);
const CERTIFICATE_FIELDS = ['secret', 'cert_chain_file', 'private_key_file'];
const KEPT_FIELDS = [...CERTIFICATE_FIELDS, 'alpn_protocols', 'redirect_cleartext_from'];

/**
 * The TLS contexts that a Module named `tls` stands for (ir/irtls.py): the way TLS was set up before there were TLSContexts.
 * `server` is for every host, with `client` for what is asked of clients; any other block can originate TLS.
 */
export function legacyContexts(compilation: Compilation): ContextSource[] {
  if (valueAt(compilation.module('ambassador')?.spec, 'config', 'tls')) {
    compilation.error(
      GLOBAL_KEY,
      "The 'tls' field on the Ambassador module is deprecated! Please use a TLSContext instead",
    );
  }
  const policy = compilation.module('tls');
  if (!policy) return [];
  const config = recordAt(policy.spec, 'config');
  const common = { namespace: compilation.settings.namespace, key: policy.key, policy };
  const server = recordAt(config, 'server');
  const others = Object.entries(config).filter(([name]) => !name.startsWith('_') && !OTHER_FIELDS.has(name));
  raiseForBlocks(policy, config, others);
  return [
    ...(isEnabled(server) ? [{ ...common, name: 'server', spec: serverSpec(server, recordAt(config, 'client')) }] : []),
    ...others.flatMap(([name, block]) => (isRecord(block) ? [{ ...common, name, spec: ownSpec(block) }] : [])),
  ];
}

/** Throws for the first block that is none: the compiler asks each for its fields. */
function raiseForBlocks(policy: Policy, config: Spec, others: readonly (readonly [string, unknown])[]): void {
  const { server, client } = config;
  const asked = server
    ? [['server', server] as const, ...(client && isEnabled(server) ? [['client', client] as const] : [])]
    : [];
  const wrong = [...asked, ...others].find(([, block]) => block !== null && !isRecord(block));
  if (!wrong) return;
  throw new Frozen({ stage: 'ir', message: `Module tls: ${wrong[0]} is not an object`, policy });
}

function serverSpec(server: Spec, client: Spec): Spec {
  const spec = { ...ownSpec(server), hosts: ['*'] };
  if (!isEnabled(client)) return spec;
  const asked = filled(client, ['cacert_chain_file', 'cert_required']);
  if (client['secret']) return { ...spec, ...asked, ca_secret: client['secret'] };
  // Upstream means the CA here, but takes the place of the server's certificate.
  return asked['cacert_chain_file'] ? { ...spec, ...asked } : { ...spec, ...asked, secret: 'ambassador-cacert' };
}

function ownSpec(block: Spec): Spec {
  const own = filled(block, KEPT_FIELDS);
  return CERTIFICATE_FIELDS.some((field) => field in own) ? own : { ...own, secret: 'ambassador-certs' };
}

function filled(block: Spec, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, valueAt(block, field)]).filter(([, value]) => value));
}

function isEnabled(block: unknown): boolean {
  return isRecord(block) && Object.keys(block).length > 0 && Boolean(valueAt(block, 'enabled') ?? true);
}
