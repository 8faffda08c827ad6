import { hash } from 'node:crypto';

/** `spec.drift.values`: how much of a changed value people may see. Secrets are hidden in every mode. */
export type ShownValues = 'Show' | 'Hash' | 'Hide';

export interface ShownContext {
  readonly kind: string;
  /** As formatPath writes it. */
  readonly path: string;
  readonly mode: ShownValues;
}

/** What stands in the place of a secret. Neither length nor hash: short secrets can be guessed from either. */
export const MASK = '***';
/** Longer values are shown as their hash and length, so that status stays small. */
const MAX_SHOWN_BYTES = 256;
/** Deeper than any real object; what lies below is hidden rather than walked. */
const MAX_DEPTH = 64;

/** Longer text is not searched for secrets but hidden whole. */
const MAX_READ_CHARACTERS = 65_536;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * A value as status, events, logs and the audit trail may show it: at most 256 bytes, secrets masked. undefined (the field is
 * gone) stays undefined. The hash of a long value is taken after masking, so it cannot confirm a guess at a secret inside.
 */
export function shownValue(value: unknown, { kind, path, mode }: ShownContext): string | undefined {
  if (value === undefined) return undefined;
  if (mode === 'Hide' || isSecretPath(kind, path)) return MASK;
  if (SECRET_REFERENCES[kind]?.includes(path) && typeof value === 'string') return sized(value, mode);
  const safe = masked(
    path === '' && kind === 'Secret' ? { ...(value as object), kind } : value,
    isSecretName(namesOf(path).at(-1)),
  );
  return safe === MASK ? MASK : sized(typeof safe === 'string' ? safe : JSON.stringify(safe), mode);
}

/** The same of a value that was shown already: `drift.values` may be stricter now. What was hidden stays so. */
export function shownAgain(shown: string, mode: ShownValues): string {
  if (mode === 'Show' || shown === MASK) return shown;
  return mode === 'Hide' ? MASK : HASHED.test(shown) ? shown : sized(shown, mode);
}

/** A path as it may be shown: the key of a list item can be a secret, too. */
export function shownPath(path: string): string {
  return path.replace(/([[,])([^[\],=]+)=[^\],]*/g, (said, before: string, name: string) =>
    isSecretName(name) ? `${before}${name}=${MASK}` : said,
  );
}

/** As `sized` writes it. */
const HASHED = /^sha256:[0-9a-f]{16} \(\d+ bytes\)$/;

function sized(text: string, mode: ShownValues): string {
  const bytes = Buffer.byteLength(text);
  if (mode === 'Show' && bytes <= MAX_SHOWN_BYTES) return text;
  return `sha256:${hash('sha256', text, 'hex').slice(0, 16)} (${bytes} bytes)`;
}

/** A copy in which every secret is masked: for objects and diffs that are shown whole. */
export function maskedObject<T>(object: T): T {
  return masked(object, false) as T;
}

/** Names of the parts of a path: `/a/b[name=DB_PASSWORD]/value` → a, b, DB_PASSWORD, value. */
function namesOf(path: string): string[] {
  return path
    .split(/[/[\],=]/)
    .filter((part) => part !== '')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isSecretPath(kind: string, path: string): boolean {
  const names = namesOf(path);
  if (kind === 'Secret' && ['data', 'stringData', 'binaryData'].includes(names[0] ?? '')) return true;
  if (names.includes(LAST_APPLIED)) return true;
  const last = names.at(-1);
  // An environment variable, a header: the item is called like a secret, its value sits beside the name.
  return last === 'value' && names.length > 1 && isSecretName(names.at(-2));
}

/** Fields that are called like a secret and hold the name of one. */
const SECRET_REFERENCES: Readonly<Record<string, readonly string[]>> = {
  TLSContext: ['/spec/secret', '/spec/ca_secret', '/spec/crl_secret'],
  Host: ['/spec/tls/ca_secret', '/spec/tls/crl_secret'],
};

/** Last words of names whose values are secrets: `dbPassword`, `AUTH_TOKEN`, `client-secret`. */
const SECRET_WORDS = new Set(
  'password passwords passwd pwd passphrase token tokens secret secrets credential credentials authorization bearer apikey privatekey secretkey accesskey dsn cookie'.split(
    ' ',
  ),
);
/** `key` alone names many harmless things (a label key, a ConfigMap's key); after these words it does not. */
const KEY_QUALIFIERS = new Set(
  'private api access secret signing encryption auth ssh tls client master shared hmac'.split(' '),
);
/** Below a secret's name these still hold names, not secrets: `imagePullSecrets[].name`, `secretKeyRef.key`. */
const REFERENCE = /^(name|namespace|key|kind|group|apiVersion|path|optional|defaultMode|.*(Name|Ref|Namespace))$/;
/** Does a field of this name hold a secret? By its last word, so `secretName` and `tokenExpirationSeconds` do not. */
export function isSecretName(name: string | undefined): boolean {
  if (name === undefined) return false;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  if (SECRET_WORDS.has(last)) return true;
  return (last === 'key' || last === 'keys') && KEY_QUALIFIERS.has(words.at(-2) ?? '');
}

function masked(value: unknown, secret: boolean, depth = 0): unknown {
  if (typeof value === 'string') return secret ? MASK : maskedText(value, depth);
  if (typeof value !== 'object' || value === null) return secret && typeof value === 'number' ? MASK : value;
  if (depth > MAX_DEPTH) return MASK;
  if (Array.isArray(value))
    return value.map((item: unknown, index) => masked(item, secret || isSecretFlag(value[index - 1]), depth + 1));
  return maskedMap(value as Record<string, unknown>, secret, depth);
}

/** An argument after which a secret stands: `--token`, `-password`. */
function isSecretFlag(before: unknown): boolean {
  return typeof before === 'string' && /^--?[\w.-]{1,128}$/.test(before) && isSecretName(before);
}

function maskedMap(map: Record<string, unknown>, secret: boolean, depth: number): Record<string, unknown> {
  const named = typeof map['name'] === 'string' && isSecretName(map['name']);
  const entries = Object.entries(map).map(([name, value]) => {
    if (name === LAST_APPLIED) return [name, MASK] as const;
    const wholly = map['kind'] === 'Secret' && (name === 'data' || name === 'stringData');
    const isSecret = wholly || (secret && !REFERENCE.test(name)) || isSecretName(name) || (named && name === 'value');
    return [name, wholly ? maskedValues(value) : masked(value, isSecret, depth + 1)] as const;
  });
  return Object.fromEntries(entries);
}

/** Keys of a Secret's data may be seen, whatever they are called; no value may. */
function maskedValues(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return MASK;
  return Object.fromEntries(Object.keys(data).map((key) => [key, MASK]));
}

/** Text that holds structure: JSON in an annotation, a configuration file in a ConfigMap, a URL with a password in it. */
function maskedText(text: string, depth: number): string {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.stringify(masked(JSON.parse(text), false, depth + 1));
    } catch {
      // Not JSON after all; the line rules below apply.
    }
  }
  if (text.includes('PRIVATE KEY-----')) return MASK;
  if (text.length > MAX_READ_CHARACTERS) return MASK;
  return maskedLines(text.replace(/(\w:\/\/)[^\s/:@]*:[^\s/@]+@/g, `$1${MASK}@`));
}

/** `password = x`, `token: y`, also `token: |` with the lines that are indented below it. */
function maskedLines(text: string): string {
  let hiddenBelow = Infinity;
  const lines = text.split('\n').flatMap((line) => {
    const indent = line.search(/\S/);
    if (indent < 0 || indent > hiddenBelow) return hiddenBelow === Infinity ? [line] : [];
    hiddenBelow = Infinity;
    for (const match of line.matchAll(/(?<![\w.-])([\w.-]{1,128})["']?\s{0,8}[:=]/g)) {
      if (!isSecretName(match[1])) continue;
      const end = match.index + match[0].length;
      const rest = line.slice(end).trim();
      if (/^([|>][-+\d]*)?$/.test(rest)) hiddenBelow = indent;
      return [`${line.slice(0, end)} ${MASK}`];
    }
    return [line];
  });
  return lines.join('\n');
}
