import { KubeError } from './errors.ts';
import type { KubeErrorCode, StatusCause } from './errors.ts';

// Not by `import`: see report/server.ts.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** meta/v1 Status, the part that we read. */
interface Status {
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    retryAfterSeconds?: number;
    causes?: StatusCause[];
  };
}

/** The answer that carried the error. `body` is the parsed JSON, undefined when there was none. */
export interface FailedAnswer {
  status: number;
  body: unknown;
  retryAfter?: string | undefined;
}

const MESSAGE_LIMIT = 500;
const CAUSE_LIMIT = 16;

/**
 * Makes the error of an answer that is not 2xx, or of a Status that came as a watch event. `request` (`PATCH /api/v1/…`) is
 * added where the server does not say itself what it is about.
 */
export function errorFromStatus(answer: FailedAnswer, request: string, now: () => number = Date.now): KubeError {
  const status = isStatus(answer.body) ? answer.body : {};
  const { details = {} } = status;
  const code = answer.status || status.code || 0;
  const secret = /^secrets?$/i.test(details.kind ?? '') || /\/secrets(\/|$|\?)/.test(request);
  const clean = (text: string) => shorten(secret ? maskQuotes(text, details.name) : text);
  const causes = (details.causes ?? []).slice(0, CAUSE_LIMIT).map((cause) => cleanCause(cause, clean, secret));
  const retryAfterMs = retryAfter(answer.retryAfter, details.retryAfterSeconds, now);
  return new KubeError(codeOf(code, status), messageOf(code, status, causes, { request, secret, clean }), {
    status: code,
    reason: status.reason ?? '',
    causes,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details.name && details.kind
      ? { object: { group: details.group ?? '', kind: details.kind, name: details.name } }
      : {}),
  });
}

function messageOf(
  code: number,
  status: Status,
  causes: StatusCause[],
  { request, secret, clean }: { request: string; secret: boolean; clean: (text: string) => string },
): string {
  if (!status.message) {
    return `the API server answered ${code} ${STATUS_CODES[code] ?? ''}`.trimEnd() + ` to ${request}`;
  }
  // Validation quotes values in many forms, so for a Secret only the names of its fields are told.
  if (secret && causes.length > 0 && (code === 422 || code === 400)) {
    const fields = causes.map(
      ({ field, reason, message }) => `${field ?? 'the object'} (${message ?? reason ?? 'invalid'})`,
    );
    return shorten(
      `the Secret ${status.details?.name ?? ''} is not valid: ${fields.join(', ')}; its values are not shown`,
    );
  }
  const message = clean(status.message);
  return status.details?.name ? message : `${message} (${request})`;
}

function cleanCause(cause: StatusCause, clean: (text: string) => string, secret: boolean): StatusCause {
  return {
    ...(cause.field === undefined ? {} : { field: shorten(cause.field) }),
    ...(cause.reason === undefined ? {} : { reason: cause.reason }),
    ...(cause.message === undefined ? {} : secret ? verdictOnly(cause.message) : { message: clean(cause.message) }),
  };
}

/** Of a message about a Secret the one thing that decides something, in our words: `force` has to know it. */
function verdictOnly(message: string): Pick<StatusCause, 'message'> {
  return /\bfield is immutable\b/.test(message) ? { message: 'field is immutable' } : {};
}

/** What the server's own authorization says, for a namespaced kind and for others: nothing of it comes from the object. */
const DENIAL =
  /^[\w.]+ "[^"]*" is forbidden: User "[^"]*" cannot \w+ resource "[\w./-]*" in API group "[\w.-]*" (in the namespace "[\w-]*"|at the cluster scope)$/;

/**
 * The name of a field, or what is quoted. An apostrophe is no quote. A quote that is not closed goes to the end, so that no text is walked
 * through twice: the server repeats values, and they may be long.
 */
const QUOTED = /field (["'`])[^"'`]*\1|(?<!\w(?='))(["'`])(?:[^\\]|\\[^])*?(?:\2|\\?$)/g;

/** Masks what could be a value: anything quoted or behind `got`, except the object's own name and the names of fields. */
function maskQuotes(text: string, name: string | undefined): string {
  if (DENIAL.test(text)) return text;
  return text
    .replace(QUOTED, (said) => (said.startsWith('field ') || said.slice(1, -1) === name ? said : '"***"'))
    .replace(/(Invalid value:|\bgot\b)(?! "\*\*\*").*/s, '$1 ***');
}

/** One line, and at most MESSAGE_LIMIT characters: the middle goes, because the verdict stands at the end. */
function shorten(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  if (line.length <= MESSAGE_LIMIT) return line;
  return `${line.slice(0, 300)} … ${line.slice(300 - MESSAGE_LIMIT)}`;
}

function codeOf(status: number, { reason, message = '', details }: Status): KubeErrorCode {
  // Server-side apply answers 500 to a body that does not fit the schema, though no second attempt can help.
  if (status === 500 && /^failed to (create typed|convert new)/.test(message)) return 'ApiBadRequest';
  if (status >= 500) return 'ApiServerError';
  switch (status) {
    case 400:
    case 415:
      return 'ApiBadRequest';
    case 401:
      return 'ApiUnauthorized';
    case 403:
      return details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating')
        ? 'NamespaceTerminating'
        : 'ApiForbidden';
    case 404:
      return 'ApiNotFound';
    case 409:
      return reason === 'AlreadyExists' ? 'ApiAlreadyExists' : 'ApiConflict';
    case 410:
      return 'ApiExpired';
    case 413:
      return 'ApiTooLarge';
    case 422:
      return 'ApiInvalid';
    case 429:
      return 'ApiBusy';
    default:
      return 'ApiUnexpectedAnswer';
  }
}

/** Seconds or an HTTP date; the header wins over the body. */
function retryAfter(header: string | undefined, seconds: number | undefined, now: () => number): number | undefined {
  if (header !== undefined && /^\d+$/.test(header)) return Number(header) * 1000;
  const date = header === undefined ? Number.NaN : Date.parse(header);
  if (!Number.isNaN(date)) return Math.max(0, date - now());
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && (body as { kind?: unknown }).kind === 'Status';
}
