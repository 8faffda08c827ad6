import { PlumblineError } from '../errors.ts';
import type { ErrorDetails } from '../errors.ts';

/** Every code that this room raises: what it means and what mends it. docs/reference/errors.md is made from this table. */
export const KUBE_ERRORS = {
  ApiUnreachable: {
    meaning: 'The API server cannot be reached, or the connection broke before it answered.',
    mend: 'Check that the API server is up and that network policies let Plumbline reach it. Plumbline keeps trying.',
  },
  ApiUntrusted: {
    meaning: 'The certificate of the API server is not signed by the CA that Plumbline was given.',
    mend: 'Give the CA of this cluster: in the kubeconfig, or in the mounted service account.',
  },
  ApiTimeout: {
    meaning: 'The API server did not answer within the time that the request may take.',
    mend: 'Look at the load of the API server and of its admission webhooks. Plumbline tries again.',
  },
  ApiUnauthorized: {
    meaning: 'The API server does not accept the credentials.',
    mend: 'Log in again, or check that the token of the service account is mounted and still valid.',
  },
  ApiForbidden: {
    meaning: 'The account is not allowed to do this, or an admission rule refused it.',
    mend: 'Grant the right that the message names to the account that it names, or satisfy the admission rule.',
  },
  NamespaceTerminating: {
    meaning: 'The namespace is being deleted, and takes nothing new.',
    mend: "Take its objects out of Git when it is to go. If it does not go, see the namespace's status.conditions for what holds it. It is tried again.",
  },
  ApiNotFound: {
    meaning: 'The object, its namespace or its kind does not exist.',
    mend: 'Create the namespace, or install the CRD of the kind.',
  },
  ApiConflict: {
    meaning: 'The object was changed by somebody else in between, or a field belongs to another manager.',
    mend: 'Nothing, when it passes: Plumbline reads the object again. Otherwise settle who owns the field.',
  },
  ApiAlreadyExists: {
    meaning: 'An object of this name exists already.',
    mend: 'Use another name, or remove the existing object.',
  },
  ApiExpired: {
    meaning: 'The version that a list or a watch asked for is no longer kept by the API server.',
    mend: 'Nothing: Plumbline lists again.',
  },
  ApiInvalid: {
    meaning: 'The API server refuses the object: a field has a value that is not allowed.',
    mend: 'Correct the field that the message names in Git.',
  },
  ApiBadRequest: {
    meaning: 'The API server cannot read the object: an unknown field, a wrong type or a wrong version.',
    mend: 'Correct the field that the message names in Git.',
  },
  ApiTooLarge: {
    meaning: 'The object is larger than the API server takes.',
    mend: 'Split the object; etcd takes about 1.5 MB.',
  },
  ApiBusy: {
    meaning: 'The API server asks for fewer requests.',
    mend: 'Nothing: Plumbline slows down. If it lasts, look at API priority and fairness.',
  },
  ApiServerError: {
    meaning: 'The API server, or a webhook or API behind it, failed.',
    mend: 'Look at the log of the API server and of the webhook that the message names. Plumbline tries again.',
  },
  ApiUnexpectedAnswer: {
    meaning: 'The answer does not come from a Kubernetes API server, or cannot be understood.',
    mend: 'Check the address of the API server and the proxies in between.',
  },
  ApiAnswerTooLarge: {
    meaning: 'One answer of the API server is larger than Plumbline reads into memory.',
    mend: 'Find the objects of unusual size in the list that the message names.',
  },
  InvalidObjectName: {
    meaning: 'A name or namespace cannot be part of an address of the Kubernetes API.',
    mend: 'Correct the name in Git.',
  },
  InvalidImpersonation: {
    meaning: 'The account to act as is empty or holds characters that a user name cannot have.',
    mend: 'Correct spec.serviceAccountName of the source.',
  },
  ClusterConfigMissing: {
    meaning: 'Plumbline runs neither inside a cluster nor with a usable kubeconfig.',
    mend: 'Name a kubeconfig with --kubeconfig, or mount the service account token.',
  },
  CredentialsUnavailable: {
    meaning: 'The token, the certificate or the login command of the kubeconfig cannot be used.',
    mend: 'Run the login command of the kubeconfig by hand, or check the mounted service account files.',
  },
  LeaseLost: {
    meaning:
      'This replica could not renew the leader lease in time and stopped working, so that no two replicas write.',
    mend: 'Nothing: a replica takes over. If it happens often, look at the load of the node and of the API server.',
  },
  WatchHandlerFailed: {
    meaning: 'An event of a watch could not be handled: a defect of Plumbline. The watch goes on.',
    mend: 'Report it with the log line.',
  },
} as const satisfies Record<string, { meaning: string; mend: string }>;

export type KubeErrorCode = keyof typeof KUBE_ERRORS;

/** One entry of Status.details.causes: which field, why, and the server's words. */
export interface StatusCause {
  field?: string;
  message?: string;
  reason?: string;
}

export interface KubeErrorDetails extends ErrorDetails {
  status?: number;
  reason?: string;
  causes?: StatusCause[];
  retryAfterMs?: number;
}

/**
 * What went wrong between us and the API server. `status` is the HTTP status, 0 when there was no answer; `reason` is the
 * server's machine-readable word (`Conflict`, `AlreadyExists`, …) or ''. Messages hold no response body and no values of
 * Secrets (see status.ts).
 */
export class KubeError extends PlumblineError {
  declare readonly code: KubeErrorCode;
  readonly status: number;
  readonly reason: string;
  readonly causes: StatusCause[];
  readonly retryAfterMs?: number;

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(code, message, details);
    this.name = 'KubeError';
    this.status = details.status ?? 0;
    this.reason = details.reason ?? '';
    this.causes = details.causes ?? [];
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

export function leaseLost(): KubeError {
  return new KubeError('LeaseLost', 'the leader lease was not renewed in time: another replica may lead now');
}

const PASSING: ReadonlySet<string> = new Set(['ApiUnreachable', 'ApiTimeout', 'ApiBusy', 'ApiServerError']);

export const isUnauthorized = (error: unknown): boolean => hasCode(error, 'ApiUnauthorized');
export const isForbidden = (error: unknown): boolean => hasCode(error, 'ApiForbidden');
/** Refused for the namespace's sake: it is no matter of rights, though the API server answers 403. */
export const isNamespaceTerminating = (error: unknown): boolean => hasCode(error, 'NamespaceTerminating');
export const isNotFound = (error: unknown): boolean => hasCode(error, 'ApiNotFound');
/** A 404 about the kind itself: a missing object, or a missing namespace, is named in the answer. */
export const isKindNotServed = (error: unknown): boolean =>
  error instanceof KubeError && error.code === 'ApiNotFound' && error.object === undefined;
/** A 404 about the object. One about its kind, or of a proxy in between, tells nothing of the object. */
export const isGone = (error: unknown): boolean => isNotFound(error) && !isKindNotServed(error);
export const isConflict = (error: unknown): boolean => hasCode(error, 'ApiConflict');
export const isAlreadyExists = (error: unknown): boolean => hasCode(error, 'ApiAlreadyExists');
export const isExpired = (error: unknown): boolean => hasCode(error, 'ApiExpired');
export const isInvalid = (error: unknown): boolean => hasCode(error, 'ApiInvalid');

export const isAnswerTooLarge = (error: unknown): boolean => hasCode(error, 'ApiAnswerTooLarge');

/** A later attempt may succeed without anybody changing anything: no connection, no answer in time, 429 or 5xx. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  return PASSING.has(error.code);
}

/** The server has not seen this resource version yet (it was restored, or another replica answered): list afresh. */
export function isVersionTooLarge(error: unknown): boolean {
  return error instanceof KubeError && error.causes.some(({ reason }) => reason === 'ResourceVersionTooLarge');
}

function hasCode(error: unknown, code: KubeErrorCode): boolean {
  return error instanceof KubeError && error.code === code;
}
