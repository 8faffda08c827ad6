import type { Difference } from './compare.ts';
import { fieldOf, isMap } from './fields.ts';

/**
 * Of differences that a dry-run would not change, those that somebody's admission made: worth one report. The rest is the
 * server's own notation (`1000m` is `1`), or defaults that it adds inside an atomic node. Only for deciding what to tell;
 * whether to apply is never decided here.
 */
export function rewritten(differences: readonly Difference[]): Difference[] {
  return differences.filter(({ declared, live }) => !isNotation(declared, live));
}

function isNotation(declared: unknown, live: unknown): boolean {
  if (declared === live || declared === null) return true;
  if (live === undefined || live === null)
    return isMap(declared) || Array.isArray(declared) ? Object.values(declared).every(isEmpty) : isEmpty(declared);
  if (Array.isArray(declared)) {
    return (
      Array.isArray(live) &&
      declared.length === live.length &&
      declared.every((item, index) => isNotation(item, live[index]))
    );
  }
  if (isMap(declared))
    return isMap(live) && Object.entries(declared).every(([name, value]) => isNotation(value, fieldOf(live, name)));
  return isSameQuantity(declared, live);
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === 0 ||
    value === false ||
    (typeof value === 'object' && Object.values(value).every(isEmpty))
  );
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** resource.Quantity: a decimal number with a decimal or binary suffix, or an exponent. */
function quantityOf(value: unknown): number | undefined {
  // A map may bring a field that is called toString.
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|([eE][+-]?\d+))?$/.exec(String(value));
  if (!match) return undefined;
  return match[3] ? Number(match[1] + match[3]) : Number(match[1]) * SUFFIXES[match[2] ?? '']!;
}

function isSameQuantity(declared: unknown, live: unknown): boolean {
  const [a, b] = [quantityOf(declared), quantityOf(live)];
  return a !== undefined && b !== undefined && Math.abs(a - b) <= Math.abs(a) * 1e-12;
}
