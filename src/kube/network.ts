import { KubeError } from './errors.ts';

/** What OpenSSL and Node call a certificate that the given CA does not vouch for. */
const UNTRUSTED = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What the network layer threw, as one of our errors. `expired`: our own deadline ended the request. */
export function asKubeError(cause: unknown, request: string, expired: boolean): KubeError {
  if (cause instanceof KubeError) return cause;
  if (expired) return new KubeError('ApiTimeout', `the API server did not answer ${request} in time`, { cause });
  const code = codeOf(cause);
  if (code && UNTRUSTED.has(code)) {
    const message = `the certificate of the API server is not trusted (${code}): give Plumbline the CA of this cluster`;
    return new KubeError('ApiUntrusted', message, { cause });
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new KubeError('ApiAnswerTooLarge', `the answer to ${request} is larger than Plumbline reads`, { cause });
  }
  const detail = code ? ` (${code})` : '';
  return new KubeError('ApiUnreachable', `the API server cannot be reached for ${request}${detail}`, { cause });
}

export function isUntrusted(error: unknown): boolean {
  return error instanceof KubeError && error.code === 'ApiUntrusted';
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
