import type { KubeConfig, User } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import { delimiter } from 'node:path';
import { CredentialCache } from './auth.ts';
import type { ClusterConfig, Credentials } from './auth.ts';
import { KubeError } from './errors.ts';
import { abortable } from '../concurrency/abortable.ts';

/**
 * The cluster and user of a kubeconfig file, or of several together, as kubectl reads $KUBECONFIG. Certificates, tokens, OIDC and
 * login commands (exec) are the official client's work; it is loaded only here because it costs 80 MB of memory. A login command
 * runs only if the user's own file names it.
 */
export async function kubeconfigConfig(paths: string | readonly string[], context?: string): Promise<ClusterConfig> {
  const files = [paths].flat();
  const path = files.join(delimiter);
  const first = await load(files, context);
  const [cluster, chosen] = [first.getCurrentCluster(), first.getCurrentContext()];
  if (!cluster && !chosen) throw missing(path, 'it names no current context: say which one with --context');
  if (!cluster) throw missing(path, `it has no cluster for the context "${chosen}"`);
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw missing(path, 'it names an http server: add insecure-skip-tls-verify: true if that is meant');
  }
  let config = first;
  const cache = new CredentialCache(async (signal, refused) => {
    // An instance keeps the token of a login command until it expires; only a fresh one asks for another.
    if (refused) config = await load(files, context);
    return abortable(login(config, path), signal);
  });
  const namespace = first.getContextObject(chosen)?.namespace;
  return {
    server: cluster.server,
    ...(cluster.proxyUrl ? { proxy: cluster.proxyUrl } : {}),
    ...(namespace ? { namespace } : {}),
    credentials: (signal, rejected) => cache.get(signal, rejected),
  };
}

async function load(paths: readonly string[], context: string | undefined): Promise<KubeConfig> {
  const found = (await Promise.all(paths.map((path) => loadFile(path, { mayBeMissing: paths.length > 1 })))).flatMap(
    (config) => config ?? [],
  );
  const [config, ...others] = found;
  if (!config) throw missing(paths.join(delimiter), 'none of these files is there');
  for (const other of others) merge(config, other);
  if (context !== undefined) config.setCurrentContext(context);
  const user = config.getCurrentUser();
  if (user) tellPluginItsCluster(user);
  return config;
}

async function loadFile(path: string, { mayBeMissing }: { mayBeMissing: boolean }): Promise<KubeConfig | undefined> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
    return config;
  } catch (error) {
    // A YAML error quotes the file, tokens included: only the system's error code may be told.
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' && mayBeMissing) return undefined;
    throw missing(path, typeof code === 'string' ? `reading it failed with ${code}` : 'it is not a valid kubeconfig');
  }
}

/** Of two with one name the first counts, as for kubectl; the official client's own merge rejects them. */
function merge(config: KubeConfig, other: KubeConfig): void {
  const added = <T extends { name: string }>(known: readonly T[], more: readonly T[]): T[] => {
    const names = new Set(known.map(({ name }) => name));
    return [...known, ...more.filter(({ name }) => !names.has(name))];
  };
  config.loadFromOptions({
    clusters: added(config.clusters, other.clusters),
    users: added(config.users, other.users),
    contexts: added(config.contexts, other.contexts),
    currentContext: config.currentContext || other.currentContext,
  });
}

async function login(config: KubeConfig, path: string): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch {
    // The cause is left out: it is whatever the login command printed.
    const user = config.getCurrentUser();
    const command = (user?.exec as { command?: string } | undefined)?.command;
    throw new KubeError(
      'CredentialsUnavailable',
      `the user "${user?.name ?? ''}" of ${path} cannot log in${command ? `: run \`${command}\` by hand to see why` : ''}`,
    );
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value);
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    headers,
    tls: {
      ...(ca ? { ca: pem(ca) } : {}),
      ...(cert ? { cert: pem(cert) } : {}),
      ...(key ? { key: pem(key) } : {}),
      ...(servername ? { servername } : {}),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

/** The official client hands out a Buffer of a file, or the string that a login command printed. */
function pem(material: unknown): string {
  return Buffer.isBuffer(material) ? material.toString('utf8') : (material as string);
}

/** Login commands read KUBERNETES_EXEC_INFO; the official client does not set it. */
function tellPluginItsCluster(user: User): void {
  const exec = user.exec as { apiVersion?: string; env?: { name: string; value: string }[] } | undefined;
  if (!exec) return;
  const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
}

function missing(path: string, why: string): KubeError {
  return new KubeError('ClusterConfigMissing', `the kubeconfig ${path} cannot be used: ${why}`);
}
