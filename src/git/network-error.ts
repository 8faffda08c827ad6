import type { PlumblineError } from '../errors.ts';
import { gitError } from './errors.ts';

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF)/;
const TIMEOUT = /^(UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|ETIMEDOUT)$/;
const ZLIB = /^Z_/;

/** What a failed request means, by the code of the innermost error. The message names the host, never the URL. */
export function networkError(error: unknown, host: string): PlumblineError {
  const code = innermostCode(error);
  const details = { cause: error };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA' || code === 'EAI_NONAME') {
    return gitError('HostNotFound', `${host} has no address in DNS (${code})`, details);
  }
  if (code === 'ECONNREFUSED') return gitError('ConnectionRefused', `nothing listens at ${host}`, details);
  if (TIMEOUT.test(code)) return gitError('GitTimeout', `${host} does not answer (${code})`, details);
  if (TLS.test(code))
    return gitError('TlsError', `the TLS connection to ${host} failed${whyTls(code)} (${code})`, details);
  if (ZLIB.test(code))
    return gitError('GitProtocolError', `${host} sends data that cannot be unzipped (${code})`, details);
  return gitError(
    'GitUnreachable',
    `the connection to ${host} broke (${code === '' ? 'unknown reason' : code})`,
    details,
  );
}

/** The usual reasons in words: what to do about each is another thing. */
function whyTls(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return ': its certificate has expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return ': its certificate is for another host';
  if (!UNTRUSTED.test(code)) return '';
  return ': Plumbline does not trust who signed its certificate; put that authority into ca.crt of the Secret of spec.secretRef';
}

function innermostCode(error: unknown): string {
  let code = '';
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    const own = (current as NodeJS.ErrnoException).code;
    if (typeof own === 'string') code = own;
    const many = (current as AggregateError).errors as unknown;
    current = Array.isArray(many) ? many[0] : current.cause;
  }
  return code;
}
