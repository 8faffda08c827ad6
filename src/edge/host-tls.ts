import type { Spec } from './model.ts';
import { recordAt } from './spec.ts';

/** How a Host may also spell the fields of a TLSContext. */
const CAMEL_CASE = new Set([
  'alpnProtocols',
  'cipherSuites',
  'ecdhCurves',
  'redirectCleartextFrom',
  'certRequired',
  'minTlsVersion',
  'maxTlsVersion',
  'certChainFile',
  'privateKeyFile',
  'cacertChainFile',
  'crlSecret',
  'crlFile',
  'caSecret',
]);

/**
 * The `tls` of a Host with the field names of a TLSContext; of a field that is spelled both ways the camel case counts.
 * Undefined: there is nothing in it. (Upstream: ir/irhost.py.)
 */
export function hostTls(spec: Spec): Spec | undefined {
  const tls = recordAt(spec, 'tls');
  const names = Object.keys(tls);
  if (names.length === 0) return undefined;
  if (!names.some((name) => CAMEL_CASE.has(name))) return tls;
  const fields = Object.entries(tls);
  const snake = fields.filter(([field]) => !CAMEL_CASE.has(field));
  const camel = fields.filter(([field]) => CAMEL_CASE.has(field));
  const renamed = camel.map(([field, value]) => [
    field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ]);
  return Object.fromEntries([...snake, ...renamed]) as Spec;
}
