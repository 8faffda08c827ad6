import type { KubeObject } from '../kube/object.ts';
import type { Facts } from './facts.ts';
import type { EdgeSettings, Origin } from './input.ts';

/** The fields of a policy's spec, read as v3alpha1, whatever version it is written in. */
export type Spec = Readonly<Record<string, unknown>>;

/** One object of group getambassador.io as Emissary's compiler sees it: unfolded from an annotation, normalised to v3alpha1. */
export interface Policy {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Spec;
  /** What errors are posted under and what the order is made of: `name.namespace.N`, of an annotation `service.namespace.N`. */
  readonly key: string;
  /** The name the compiler knows it by: the bare one, or `name.namespace` for the second object of one name. */
  readonly storedName: string;
  readonly origin: Origin;
  /** Set when it was unfolded from an annotation, or made from an Ingress: that object. */
  readonly parent?: KubeObject;
  /** As written: its own apiVersion, not converted, not expanded. */
  readonly written: KubeObject;
  readonly facts: Facts;
}

/** `major` reasons first; the text is for people. */
export type DropReason =
  | 'invalid' // the compiler refuses the object itself
  | 'replaced' // another object of the same name and namespace comes later
  | 'rejected' // it does not fit the group that it belongs to
  | 'swallowed' // taken for the same object as another one whose name is equal up to the first dot
  | 'duplicate' // a second of which only one can be (Listener of one port, Module, TracingService …)
  | 'unattached' // no Host, or no Listener, takes it
  | 'not-ours'; // its ambassador_id names other gateways

/** Something declared that will have no effect, or not the effect that it declares. */
export interface Drop {
  readonly policy: Policy;
  readonly reason: DropReason;
  readonly message: string;
  /** The other party, when there is one. */
  readonly by?: Policy;
}

/** An error or a notice as the compiler posts it in its diagnostics. */
export interface Posted {
  readonly key: string;
  readonly message: string;
}

export interface ValueMatch {
  readonly name: string;
  readonly match: 'exact' | 'prefix' | 'suffix' | 'regex' | 'present';
  /** Absent for `present`. */
  readonly value?: string;
}

/** A Mapping that takes part in a group. */
export interface Member {
  readonly policy: Policy;
  /** As written. */
  readonly weight: number | undefined;
  /** As computed: the upper end of its share of 100. */
  readonly cumulative: number;
  /** What it really gets, in percent: what is left of `cumulative` after the members before it. */
  readonly share: number;
  /** Where its requests go; absent for a member whose service makes no cluster. */
  readonly cluster: Cluster | undefined;
}

/** A match set with all the Mappings that share it: upstream's "mapping group". */
export interface RouteGroup {
  /** Equal for the same match set, and for no other: what upstream's group id is a hash of. */
  readonly identity: string;
  /** Null when only a regular expression or no host is set; also for redirects and groups of shadows only. */
  readonly host: string | null;
  /** What it attaches to Hosts by: as `host`, but redirects have theirs too. */
  readonly hostGlob: string | null;
  /** `host` is a regular expression: attaches to every Host. */
  readonly hostRegex: string | null;
  readonly path: { readonly match: 'prefix' | 'path' | 'regex'; readonly value: string };
  readonly precedence: number;
  /** In the order in which Envoy gets them; `:authority` and `:method` included. */
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
  readonly caseSensitive: boolean;
  /** Union of the labels of all members: by them Hosts with a selector attach. */
  readonly labels: Readonly<Record<string, string>>;
  /** In the compiler's final order; empty for a redirect. */
  readonly members: readonly Member[];
  /** The Mapping with `host_redirect`, when it is a redirect group. */
  readonly redirect: Policy | undefined;
  /** Where a redirect sends to: the `service` of its Mapping, completed like any other service. */
  readonly redirectHost: string | undefined;
  readonly shadows: readonly { readonly policy: Policy; readonly cluster: Cluster | undefined }[];
  /** Names, of all members together: each of them adds them all. */
  readonly requestHeadersAdded: readonly string[];
  readonly responseHeadersAdded: readonly string[];
  /** The Mapping, or the Module, whose added header lacks a value: the compiler raises when it writes the routes. */
  readonly unwritable: Policy | undefined;
  /** Emissary's own probes and diagnostics. */
  readonly internal: boolean;
  /** Every Host serves it, whatever it selects: it is one of those, or has the name of one. */
  readonly isEverywhere: boolean;
  /** Upstream's `group_weight`, which decides what is tried first: route-order.ts. */
  readonly weight: string;
  /** An error was posted; its routes may well exist. */
  readonly errored: boolean;
  readonly facts: Facts;
}

/** TCPMappings of one address, port and host. */
export interface TcpGroup {
  readonly id: string;
  readonly address: string | null;
  readonly port: number;
  readonly host: string | null;
  readonly members: readonly Member[];
  readonly errored: boolean;
}

/** A TLS setting that terminates or originates: a TLSContext, or what a Host's own `tls` makes. */
export interface TlsContext {
  /** As the compiler knows it. */
  readonly name: string;
  /** The TLSContext, or the Host that it was made for; absent for the invented fallback. */
  readonly policy: Policy | undefined;
  readonly hosts: readonly string[];
  /** false: an error was posted for it, so it exists, but neither terminates nor originates TLS. */
  readonly usable: boolean;
  /** Of the certificate; here and below: `name.namespace` of the Secret, or the path of a file in Emissary's container. */
  readonly secret: string | undefined;
  readonly caSecret: string | undefined;
  readonly crlSecret: string | undefined;
  readonly certRequired: boolean;
  /** `v1.0` … `v1.3`. */
  readonly minTls: string | undefined;
  readonly maxTls: string | undefined;
  readonly alpn: readonly string[];
  readonly cipherSuites: readonly string[];
  readonly ecdhCurves: readonly string[];
  readonly sni: string | undefined;
}

export interface Host {
  readonly name: string;
  readonly namespace: string;
  /** `*` when it names none. */
  readonly hostname: string;
  /** Absent: the invented `default-host`. */
  readonly policy: Policy | undefined;
  /** Undefined: clear text, although it may name a Secret: then its context was of no use. */
  readonly context: TlsContext | undefined;
  readonly insecureAction: 'Redirect' | 'Route' | 'Reject';
  /** matchLabels of its selector; undefined: it has none. */
  readonly selector: Readonly<Record<string, string>> | undefined;
}

export interface Cluster {
  readonly name: string;
  /** What the metrics call it: the label `envoy_cluster_name`. */
  readonly altStatName: string;
  /** `host:port`. */
  readonly endpoints: readonly string[];
  /** Originates TLS. */
  readonly tls: boolean;
  /** Checks the certificate of the upstream. */
  readonly verified: boolean;
  readonly sni: string | undefined;
  readonly clientCertificates: readonly string[];
  readonly connectTimeout: string;
  /** The policy whose settings it has: the first one. */
  readonly policy: Policy | undefined;
}

export type RouteAction =
  | { readonly kind: 'cluster'; readonly cluster: Cluster }
  | { readonly kind: 'redirect'; readonly redirect: RedirectAction };

export interface RedirectAction {
  readonly https?: boolean;
  readonly host?: string;
  readonly path?: string;
  readonly prefix?: string;
  readonly regex?: string;
  /** Envoy's enum number; absent: 301. */
  readonly code?: number;
}

/** One line of Envoy's route table. */
export interface Route {
  /** Absent only for routes of Emissary's own. */
  readonly group: RouteGroup;
  /** The Mapping that made it. */
  readonly policy: Policy;
  readonly path: RouteGroup['path'];
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
  /** Of 100: cumulative. */
  readonly fraction: number;
  /** `secure`: for requests over TLS; `insecure`: the others. A route that does not look at it is `any`. */
  readonly security: 'secure' | 'insecure' | 'any';
  readonly action: RouteAction;
  readonly caseSensitive: boolean;
  /** Where copies of the requests go; `fraction` of 100. */
  readonly mirror: { readonly cluster: Cluster; readonly fraction: number } | undefined;
  readonly authDisabled: boolean;
  readonly requestHeadersAdded: readonly string[];
  readonly responseHeadersAdded: readonly string[];
}

/** What Envoy does with requests for one host name. */
export interface VirtualHost {
  readonly domains: readonly string[];
  /** The Hosts it is made of: more than one when they share a TLS context. */
  readonly host: Host;
  /** The groups that the Host serves, in matching order. `routesOf` of routes.ts writes them out. */
  readonly groups: readonly RouteGroup[];
}

/** A filter chain: what one connection, chosen by SNI and TLS or not, can reach. */
export interface Chain {
  readonly tls: boolean;
  /** Empty: any. */
  readonly serverNames: readonly string[];
  readonly transportProtocol: string | undefined;
  readonly context: TlsContext | undefined;
  readonly vhosts: readonly VirtualHost[];
  /** Set instead of vhosts. */
  readonly tcp: TcpGroup | undefined;
}

/** A filter that every request passes: authentication, limits, allow and deny lists, compression. */
export interface HttpFilter {
  /** Envoy's name: `envoy.filters.http.ext_authz`. */
  readonly name: string;
  /** It is what AuthServices make, also where an error in them makes it a script that answers 500 to everything. */
  readonly isAuth?: true;
  /** Requests pass when the auth service does not answer; absent: not set. */
  readonly failureModeAllow?: boolean;
  /** Requests are refused when the rate limit service does not answer; absent: not set. */
  readonly failureModeDeny?: boolean;
}

export interface Listener {
  readonly name: string;
  /** Absent: made up for a TCPMapping's port. */
  readonly policy: Policy | undefined;
  readonly port: number;
  readonly address: string;
  readonly socketProtocol: 'TCP' | 'UDP';
  /** `protocolStack` written out: HTTP, PROXY, TCP, TLS, UDP. */
  readonly protocolStack: readonly string[];
  readonly securityModel: 'XFP' | 'SECURE' | 'INSECURE';
  /** Beyond cors and router. */
  readonly httpFilters: readonly HttpFilter[];
  readonly hosts: readonly Host[];
  readonly chains: readonly Chain[];
}

/** The compiler would fail: no configuration at all, Emissary keeps what it has, for everybody. */
export interface Freeze {
  readonly stage: 'load' | 'ir' | 'envoy';
  readonly message: string;
  readonly policy: Policy | undefined;
}

/** What the edge will do: the simulated result of Emissary's compiler. Finding what is wrong with it is the rules' work. */
export interface Edge {
  readonly settings: EdgeSettings;
  /** All policies meant for this gateway, in the compiler's order, the dropped ones included. */
  readonly policies: readonly Policy[];
  /** In the compiler's order of creation. */
  readonly groups: readonly RouteGroup[];
  readonly tcpGroups: readonly TcpGroup[];
  /** By name. */
  readonly contexts: ReadonlyMap<string, TlsContext>;
  readonly hosts: readonly Host[];
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly listeners: readonly Listener[];
  readonly drops: readonly Drop[];
  readonly errors: readonly Posted[];
  readonly notices: readonly Posted[];
  /** What was reached before it is still shown. */
  readonly freeze: Freeze | undefined;
}
