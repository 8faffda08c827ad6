import type { ScalarNode } from './node.ts';

/** A scalar's value; non-finite numbers are possible here and refused later, where they would become JSON. */
export type Scalar = null | boolean | number | bigint | string;

const TAG = 'tag:yaml.org,2002:';
const RESOLVABLE = new Set(['str', 'bool', 'int', 'float', 'null', 'timestamp'].map((name) => TAG + name));

const WORDS = new Map<string, Scalar>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
// Go lets underscores stand between digits; here they are not dropped first.
const FRACTION = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
// An oddity of kubectl's library: after `0b` it takes a second sign.
const SIGNED_BINARY = /^0b([-+][01]+)$/;
const TIMESTAMP =
  /^[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])(?:(?:[Tt][0-9:.,]+(?:Z|[-+][0-9]{2}:[0-9]{2}))| [0-9:.,]+)?$/;

/** In bytes written as Latin-1: a well-formed character above ASCII, or a byte that belongs to none. */
const CHARACTER = new RegExp(
  [
    '[\\xc2-\\xdf][\\x80-\\xbf]',
    '(?:\\xe0[\\xa0-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]|\\xed[\\x80-\\x9f])[\\x80-\\xbf]',
    '(?:\\xf0[\\x90-\\xbf]|[\\xf1-\\xf3][\\x80-\\xbf]|\\xf4[\\x80-\\x8f])[\\x80-\\xbf]{2}',
    '[\\x80-\\xff]',
  ].join('|'),
  'g',
);

export const MAX_INT64 = 2n ** 63n - 1n;
export const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * The value of a scalar as kubectl's library (YAML 1.1 with Go's number syntax) takes it: 22 spellings of booleans, `0644`
 * is octal, underscores in numbers, dates and base 60 stay text, unknown tags are ignored.
 * An integer above int64 that fits uint64 stays a bigint, so that it can be told from a float when it is a key.
 * @throws Error (with a message for people) when an explicit tag does not fit the text
 */
export function resolveScalar(node: ScalarNode): Scalar {
  if (node.tag === undefined) return node.plain ? resolvePlain(node.text) : node.text;
  if (node.tag === `${TAG}binary`) return decodeBinary(node.text);
  if (node.tag === `${TAG}str` || !RESOLVABLE.has(node.tag)) return node.text;
  return convert(node.tag.slice(TAG.length), node.text);
}

function convert(tag: string, text: string): Scalar {
  const value = resolvePlain(text);
  if (tag === 'null' && value === null) return null;
  if (tag === 'bool' && typeof value === 'boolean') return value;
  if (tag === 'int' && parseInteger(text.replaceAll('_', '')) !== undefined && typeof value !== 'string') return value;
  if (tag === 'float' && typeof value === 'number') return value;
  if (tag === 'float' && typeof value === 'bigint' && value <= MAX_INT64) return Number(value);
  if (tag === 'timestamp' && TIMESTAMP.test(text)) return text;
  throw new Error(`the tag !!${tag} does not fit the value`);
}

/** Whether a scalar that resolved to a number is an integer; it makes a difference for keys. */
export function isInteger(node: ScalarNode): boolean {
  return node.tag !== `${TAG}float` && parseInteger(node.text.replaceAll('_', '')) !== undefined;
}

function resolvePlain(text: string): Scalar {
  const first = text.charCodeAt(0);
  const startsNumber = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
  // No word is longer than five characters.
  if (text.length <= 5) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  if (!startsNumber) return text;
  if (first === 0x2e) return finite(FRACTION.test(text) ? Number(text.replaceAll('_', '')) : undefined) ?? text;
  const digits = text.replaceAll('_', '');
  return parseInteger(digits) ?? finite(FLOAT.test(digits) ? Number(digits) : undefined) ?? text;
}

/** Out of range is not a number for kubectl, but text. */
function finite(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

/** Go's strconv with base 0: prefixes in both cases, a leading zero is octal. Undefined outside int64 and uint64. */
function parseInteger(digits: string): Scalar | undefined {
  // 64 binary digits are the most that fit; longer ones would cost a long conversion for nothing.
  if (digits.length > 64 && digits.replace(/^[-+]?(?:0[xXbBoO])?[-+]?0*/, '').length > 64) return undefined;
  const signed = SIGNED_BINARY.exec(digits)?.[1];
  if (signed !== undefined) return inRange(withSign(signed, '0b'), signed);
  if (!INTEGER.test(digits)) return undefined;
  const unsigned = /^[-+]/.test(digits) ? digits.slice(1) : digits;
  const isOldOctal = unsigned.length > 1 && unsigned[0] === '0' && unsigned[1]! >= '0' && unsigned[1]! <= '9';
  if (!isOldOctal && digits.length < 16 && unsigned === digits && unsigned[0] !== '0') return Number(digits);
  return inRange(withSign(digits, isOldOctal ? '0o' : ''), digits);
}

function withSign(digits: string, prefix: string): bigint {
  const isNegative = digits[0] === '-';
  const magnitude = BigInt(prefix + (isNegative || digits[0] === '+' ? digits.slice(1) : digits));
  return isNegative ? -magnitude : magnitude;
}

/** uint64 takes no sign, not even a plus. */
function inRange(value: bigint, digits: string): Scalar | undefined {
  const isSigned = digits[0] === '-' || digits[0] === '+';
  if (value < MIN_INT64 || value > (isSigned ? MAX_INT64 : MAX_UINT64)) return undefined;
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function decodeBinary(text: string): string {
  const compact = text.replace(/[\r\n]/g, '');
  const bytes = Buffer.from(compact, 'base64');
  if (bytes.toString('base64') !== compact) throw new Error('the tag !!binary needs base64');
  return fromUtf8(bytes.toString('latin1'));
}

/** Go puts U+FFFD for each byte that is no part of a character, the decoders of JavaScript one for several. */
function fromUtf8(bytes: string): string {
  return bytes.replace(CHARACTER, (match) => (match.length === 1 ? '\ufffd' : Buffer.from(match, 'latin1').toString()));
}
