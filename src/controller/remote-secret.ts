import { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Remote } from '../git/remote.ts';
import { isNotFound } from '../kube/errors.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

/** Codes of this file; see docs/reference/errors.md. */
export const REMOTE_SECRET_ERRORS = {
  SecretNotFound: {
    meaning: 'The Secret that spec.secretRef names does not exist in the namespace of the source.',
    mend: 'Create it, or correct the name.',
  },
  SecretInvalid: {
    meaning: 'The Secret does not hold credentials in the expected keys.',
    mend: 'Give it username and password, or bearerToken; ca.crt is optional.',
  },
} as const;

/** The repository with its credentials. The Secret can only be one of the source's own namespace. */
export async function readRemote(
  source: Source,
  spec: GitOpsSourceSpec,
  { api, discovery }: ReconcileDeps,
  signal: AbortSignal,
): Promise<Remote> {
  const remote: Remote = { url: spec.url, ...(spec.insecure && { insecure: true }) };
  if (!spec.secretRef) return remote;
  const { name } = spec.secretRef;
  const resource = await discovery.resource('v1', 'Secret', signal);
  let data: Record<string, string>;
  try {
    data = ((await api.get(resource!, source.namespace, name, { signal }))['data'] ?? {}) as Record<string, string>;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new PlumblineError(
      'SecretNotFound',
      `the Secret ${name} that spec.secretRef names does not exist in ${source.namespace}`,
      { cause: error },
    );
  }
  return { ...remote, ...credentialsIn(data, name) };
}

function credentialsIn(data: Readonly<Record<string, string>>, secret: string): Pick<Remote, 'auth' | 'ca'> {
  const value = (key: string) =>
    data[key] === undefined
      ? undefined
      : Buffer.from(data[key], 'base64')
          .toString('utf8')
          .replace(/\r?\n$/, '');
  const [username, password, bearerToken, ca] = ['username', 'password', 'bearerToken', 'ca.crt'].map(value);
  const invalid = (why: string) => new PlumblineError('SecretInvalid', `the Secret ${secret} ${why}`);
  for (const text of [username, password, bearerToken]) {
    // oxlint-disable-next-line no-control-regex -- a line break would end the header
    if (text !== undefined && /[\x00-\x1f\x7f]/.test(text))
      throw invalid('holds control characters in its credentials');
  }
  if (bearerToken !== undefined && username !== undefined)
    throw invalid('holds both bearerToken and username: only one can be used');
  if ((username === undefined) !== (password === undefined)) throw invalid('needs username and password together');
  if (bearerToken === undefined && username === undefined && ca === undefined)
    throw invalid('holds neither username and password nor bearerToken nor ca.crt');
  // OpenSSL would pass over it, and then trust nobody.
  if (ca && !isCertificate(ca))
    throw invalid('holds no certificate in ca.crt: it must be in PEM (-----BEGIN CERTIFICATE-----)');
  return {
    ...(bearerToken !== undefined && { auth: { bearerToken } }),
    ...(username !== undefined && password !== undefined && { auth: { username, password } }),
    ...(ca !== undefined && { ca }),
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
