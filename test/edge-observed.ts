import { groupId } from '../src/edge/groups.ts';
import type { Cluster, Edge, Member, RouteGroup, TcpGroup } from '../src/edge/model.ts';
import { observeListener } from './edge-observed-listeners.ts';

/** The compiler's answer in the form of vectors/edge: see its README. Null: not reached before the crash. */
export interface Observed {
  crash: string | null;
  groups: unknown[] | null;
  hosts: string[] | null;
  tlsContexts: string[] | null;
  clusters?: unknown[] | null;
  listeners: unknown[] | null;
  errors: { key: string; message: string }[];
  notices: { key: string; message: string }[];
}

const INTERNAL_PREFIX = '/ambassador/v0';
// The recorder left out the diagnostics service by this name, so it shows where the namespace or the settings give it another.
const DIAGNOSTICS_CLUSTER = 'cluster_127_0_0_1_8877_ambassador';

/** Writes our edge as the recorder wrote the compiler's. `internal`: with Emissary's own routes. */
export function observe(edge: Edge, { internal }: { internal: boolean }): Observed {
  const { freeze } = edge;
  const shown = (group: RouteGroup): boolean => internal || !group.path.value.startsWith(INTERNAL_PREFIX);
  const posted = { errors: [...edge.errors], notices: [...edge.notices] };
  const crash = freeze ? `${freeze.stage}: ${freeze.message}` : null;
  if (freeze && freeze.stage !== 'envoy') {
    return { crash, groups: null, hosts: null, tlsContexts: null, listeners: null, ...posted };
  }
  const reached = {
    crash,
    groups: [...edge.groups.filter(shown).map(httpGroup), ...edge.tcpGroups.map(tcpGroup)],
    hosts: edge.hosts.map(({ name }) => name),
    tlsContexts: [...edge.contexts.values()].map(({ name }) => name),
    ...posted,
  };
  if (freeze) return { ...reached, listeners: null };
  const clusters = [...edge.clusters.values()].filter(({ name }) => name !== DIAGNOSTICS_CLUSTER);
  return {
    ...reached,
    clusters: clusters.map(cluster),
    listeners: edge.listeners.map((listener) => observeListener(listener, shown)),
  };
}

function httpGroup(group: RouteGroup): unknown {
  const { redirect, shadows } = group;
  return {
    kind: 'http',
    groupId: groupId(group),
    host: group.host,
    prefix: group.path.value,
    // The recorder read it off the members.
    ...(group.members.length > 0 && group.precedence !== 0 && { precedence: group.precedence }),
    members: group.members.map(member),
    redirect: redirect !== undefined,
    ...(redirect && { redirectBy: { name: redirect.storedName, namespace: redirect.namespace } }),
    ...(shadows.length > 0 && {
      shadows: shadows.map(({ policy }) => ({ name: policy.storedName, namespace: policy.namespace })),
    }),
    ...(group.errored && { errored: true }),
  };
}

function tcpGroup(group: TcpGroup): unknown {
  return {
    kind: 'tcp',
    groupId: group.id,
    host: group.host,
    prefix: null,
    port: group.port,
    ...(group.address !== null && { address: group.address }),
    members: group.members.map(member),
    redirect: false,
    ...(group.errored && { errored: true }),
  };
}

function member({ policy, weight, cumulative }: Member): unknown {
  return { name: policy.storedName, namespace: policy.namespace, weight: weight ?? null, cumulative };
}

function cluster(one: Cluster): unknown {
  return {
    name: one.name,
    altStatName: one.altStatName || null,
    endpoints: one.endpoints,
    tls: one.tls,
    ...(one.tls && { verified: one.verified }),
    ...(one.sni !== undefined && { sni: one.sni }),
    ...(one.clientCertificates.length > 0 && { clientCertificates: one.clientCertificates }),
    ...(one.connectTimeout !== '3.000s' && { connectTimeout: one.connectTimeout }),
  };
}
