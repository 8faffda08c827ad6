// What Envoy's TLS library knows by name (boringssl, ssl/ssl_cipher.cc and ssl/ssl_key_share.cc). An unknown name in a
// TLSContext makes Envoy refuse the configuration.

const CIPHER_SUITES: ReadonlySet<string> = new Set([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-ECDSA-AES128-SHA256',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-ECDSA-AES256-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA256',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA384',
  'ECDHE-PSK-AES128-CBC-SHA',
  'ECDHE-PSK-AES256-CBC-SHA',
  'ECDHE-PSK-CHACHA20-POLY1305',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES128-SHA256',
  'AES256-SHA',
  'AES256-SHA256',
  'DES-CBC3-SHA',
  'PSK-AES128-CBC-SHA',
  'PSK-AES256-CBC-SHA',
]);

/** The same suites by their names in the TLS standards, and those of TLS 1.3. */
const STANDARD_NAME =
  /^TLS_((ECDHE_(RSA|ECDSA|PSK)|RSA|PSK)_WITH_)?(AES_(128|256)_(GCM|CBC)|CHACHA20_POLY1305|3DES_EDE_CBC)_SHA(256|384)?$/;

const CURVES: ReadonlySet<string> = new Set(
  'X25519 P-224 P-256 P-384 P-521 X25519MLKEM768 MLKEM1024 X25519Kyber768Draft00 x25519 secp224r1 prime256v1 secp384r1 secp521r1'.split(
    ' ',
  ),
);

/** One element of `cipher_suites`; `[A|B]` are suites of equal rank. */
export function isCipherSuite(element: string): boolean {
  const names = /^\[.*\]$/.test(element) ? element.slice(1, -1).split('|') : [element];
  return names.every((name) => CIPHER_SUITES.has(name) || STANDARD_NAME.test(name));
}

/** One element of `ecdh_curves`. */
export function isCurve(element: string): boolean {
  return CURVES.has(element);
}
