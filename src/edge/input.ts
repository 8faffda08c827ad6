import type { KubeObject } from '../kube/object.ts';

/** Where an object comes from. All fields absent: it is live in the cluster and nobody declares it. */
export interface Origin {
  /** Who declares it: `namespace/name` of a GitOpsSource, or the name given on the command line. */
  readonly source?: string;
  /** Path inside the repository. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** It is no object at all, but this: `Emissary's own`, `not there`. */
  readonly instead?: string;
}

/** One Kubernetes object that may matter to the edge, as it is written: any apiVersion, not yet normalised. Never changed by us. */
export interface EdgeObject {
  readonly object: KubeObject;
  readonly origin: Origin;
}

/** What the edge needs to know of a Secret: never a value. */
export interface SecretShape {
  readonly name: string;
  readonly namespace: string;
  /** The Secret's `type`; absent: Opaque. */
  readonly type?: string;
  readonly keys: ReadonlySet<string>;
}

/** How the Emissary that will read the objects is run. One judgement is about one `ambassadorId`. */
export interface EdgeSettings {
  /** AMBASSADOR_ID. */
  readonly ambassadorId: string;
  /** Emissary's own namespace: services of Mappings there are not qualified, fallback certificates come from there. */
  readonly namespace: string;
  /** `major.minor.patch`. */
  readonly version: string;
  /** Variables of Emissary's container: `$NAME` in any text of a policy becomes their value. */
  readonly environment: Readonly<Record<string, string>>;
  /** false: DISABLE_STRICT_LABEL_SELECTORS, any label of a selector is enough. */
  readonly strictLabelSelectors: boolean;
  /** AMBASSADOR_SINGLE_NAMESPACE: it reads nothing outside its own namespace. Absent: it does. */
  readonly singleNamespace?: boolean;
  /** AMBASSADOR_LABEL_SELECTOR, as Kubernetes writes selectors: it reads nothing else. Absent: it reads everything. */
  readonly labelSelector?: string;
  /**
   * false: the compiler gets the objects as they are written. Absent: from Emissary's watcher, which refuses what breaks the
   * schema in annotations and leaves out what is empty or unknown (handed-over.ts), as since 2.0.
   */
  readonly hasWatcher?: boolean;
}

export const DEFAULT_EDGE_SETTINGS: EdgeSettings = {
  ambassadorId: 'default',
  namespace: 'emissary',
  version: '4.1.0',
  environment: {},
  strictLabelSelectors: true,
};

/** All that decides what the edge does. The order of `objects` has no meaning. */
export interface EdgeInput {
  /** What this Emissary reads: `watchedBy`. */
  readonly objects: readonly EdgeObject[];
  /** Everything of a cluster is among them, so what is not there does not exist. Absent: they may be a part of it. */
  readonly complete?: boolean;
  /** A Secret that exists, or will exist, beside those among `objects`. */
  readonly secret: (name: string, namespace: string) => SecretShape | undefined;
  /**
   * Must a source not be told of this Secret? Then what it declares is judged as if the Secret were there and complete,
   * whether or not it is. Absent: everybody may know everything.
   */
  readonly hides?: (source: string, name: string, namespace: string) => boolean;
  readonly settings: EdgeSettings;
}
