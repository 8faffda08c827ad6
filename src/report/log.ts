import { pino } from 'pino';
import { PlumblineError } from '../errors.ts';
import { describeIdentity, type Identity } from '../kube/object.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines. Use `error` as the key of an error: it is reduced to what may be shown. */
export type Log = pino.Logger<'audit'>;

/** What was done to an object in the cluster. `handedOver`: fields went to another manager, or the object to another source. */
export const WRITE_ACTIONS = [
  'created',
  'configured',
  'healed',
  'pruned',
  'adopted',
  'recreated',
  'handedOver',
  'released',
] as const;
export type WriteAction = (typeof WRITE_ACTIONS)[number];

/** One field of a write. Values are masked and shortened by the caller: they are shown as they are. */
export interface AuditField {
  path: string;
  declared?: unknown;
  live?: unknown;
  /** The field manager that had put the live value there. */
  manager?: string;
}

export interface AuditEntry {
  /** `namespace/name`. */
  source: string;
  commit?: string;
  author?: string;
  object: Identity;
  action: WriteAction;
  fields?: readonly AuditField[];
}

/** Container runtimes cut lines at 16 KiB; a shown value has at most 256 bytes. */
const MAX_AUDIT_FIELDS = 10;
const MAX_ERROR_TEXT = 4096;

/** Keys whose value is never written, whoever logs an object that holds them: the net below the rule not to log them. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'auth',
  'authorization',
  'bearerToken',
  'data',
  'headers',
  'password',
  'privateKey',
  'stringData',
  'token',
]);
/** How deep the net reaches. */
const SECRET_DEPTH = 3;

/**
 * The process's logger. Each line is written before the call returns, so that nothing is lost when the process exits.
 * Audit lines are written at every level but `silent`. `destination` is for tests; the default is stdout.
 */
export function createLog(options: { level?: LogLevel; destination?: pino.DestinationStream } = {}): Log {
  return pino<'audit'>(
    {
      level: options.level ?? 'info',
      customLevels: { audit: 70 },
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label === 'audit' ? 'info' : label }),
        // pino's own `redact` takes longer than all the rest of a line.
        log: (fields) => withoutSecrets(fields, SECRET_DEPTH) as Record<string, unknown>,
      },
      serializers: { err: showError, error: showError },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

/** A copy of objects and lists; what knows how it is written (an error, a time) is left to itself. */
function withoutSecrets(value: unknown, depth: number): unknown {
  if (depth === 0 || typeof value !== 'object' || value === null) return value;
  if (value instanceof Error || 'toJSON' in value) return value;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      SECRET_KEYS.has(key) ? '[redacted]' : withoutSecrets(field, depth - 1),
    ]),
  );
}

/** One line for one write to the cluster: `{audit: true, source, commit, author, object, action, fields, …}`. */
export function audit(log: Log, entry: AuditEntry): void {
  const { fields = [], ...rest } = entry;
  log.audit(
    {
      audit: true,
      ...rest,
      ...(fields.length > 0 && { fields: fields.slice(0, MAX_AUDIT_FIELDS) }),
      ...(fields.length > MAX_AUDIT_FIELDS && { moreFields: fields.length - MAX_AUDIT_FIELDS }),
    },
    `${entry.action} ${describeIdentity(entry.object)}`,
  );
}

interface ShownError {
  type: string;
  code?: string;
  message: string;
  object?: string;
  file?: string;
  line?: number;
  stack?: string;
  cause?: ShownError;
}

/**
 * What may be shown of an error. Its other properties stay out (an HTTP error can carry headers and a body), and so does
 * the stack of an error that we raised on purpose: only a defect needs it.
 */
export function showError(error: unknown, depth = 0): ShownError {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutCredentials(String(error)) };
  const { code } = error as { code?: unknown };
  const shown: ShownError = { type: error.name, message: withoutCredentials(error.message) };
  if (typeof code === 'string') shown.code = code;
  if (error instanceof PlumblineError) {
    const { object, file, line } = error;
    if (object) shown.object = describeIdentity({ group: '', namespace: '', ...object });
    if (file !== undefined) shown.file = file;
    if (line !== undefined) shown.line = line;
  } else if (error.stack !== undefined) {
    shown.stack = withoutCredentials(error.stack);
  }
  if (error.cause !== undefined && depth < 5) shown.cause = showError(error.cause, depth + 1);
  return shown;
}

/** Takes `user:password@` out of URLs and shortens: other people's messages quote what they were given. */
function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^\s/]*@/g, '://').slice(0, MAX_ERROR_TEXT);
}
