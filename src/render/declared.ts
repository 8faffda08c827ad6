import type { Identity, KubeObject } from '../kube/object.ts';
import type { Body } from './body.ts';

/** Something in the repository that must be mended there. */
export interface RenderProblem {
  code: string;
  file: string;
  /** 1-based; absent when the whole file or folder is meant. */
  line?: number;
  message: string;
}

/** One object as a file says it, before the source's own settings touch it. Cacheable by (path, blob id). */
export interface ParsedObject {
  object: KubeObject;
  file: string;
  line: number;
}

export interface ParsedFile {
  objects: ParsedObject[];
  problems: RenderProblem[];
  /** Set when no document of the file has apiVersion or kind: the file is left alone. */
  ignored?: string;
}

/** How one object wants to be handled: from its annotations in Git (plumbline.dev/…). */
export interface ObjectPolicy {
  prune: boolean;
  reconcile: boolean;
  ssa: 'Override' | 'Merge' | 'IfNotPresent' | 'Ignore';
  force: boolean;
  adopt: boolean;
}

/** One object as it must be in the cluster. Immutable; shared by plan, apply and drift. */
export interface Declared {
  identity: Identity;
  /** identityKey(identity). */
  key: string;
  apiVersion: string;
  file: string;
  line: number;
  /** The JSON that is sent by server-side apply, serialised once; int64 exact. Labels and owner annotation included. */
  body: Body;
  /** sha256 of `body`, base64url. */
  digest: string;
  policy: ObjectPolicy;
}
