import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../test/cluster.ts';
import { LAUNCHED, OPERATOR_ENVIRONMENT, OPERATOR_FLAGS } from '../src/relaunch.ts';
import { kubeconfigFor } from '../test/operator.ts';
import { Child } from './child-process.ts';

export interface OperatorOptions {
  cluster: Cluster;
  /** The folder of the bundle. */
  app: string;
  /** Its own namespace, and the only one whose sources it watches: it writes with its own rights there. */
  namespace: string;
  cacheDir: string;
  /** Where to leave a CPU profile when it ends. */
  profileDir?: string | undefined;
  /** Serves its metrics there, on loopback; default: nowhere. */
  metricsPort?: number | undefined;
  /** Further flags. */
  args?: readonly string[] | undefined;
}

/** Copies the service account to where a pod has it, in a mount namespace that only the operator sees. */
const AS_POD = `mount --make-rprivate /
mount -t tmpfs none /var/run
mkdir -p /var/run/secrets/kubernetes.io
cp -r "$1" /var/run/secrets/kubernetes.io/serviceaccount
shift
exec "$@"`;

/**
 * The bundle, started as in the image and with the flags of the manifest, but without leader election, probes and, unless asked for, metrics. It logs in as a pod does where
 * this machine allows that (`unshare`); elsewhere by a kubeconfig, which loads a library of some 50 MB more.
 */
export function startOperator(options: OperatorOptions): Child {
  const { cluster, app, namespace, cacheDir, profileDir, metricsPort, args = [] } = options;
  const command = [
    process.execPath,
    ...OPERATOR_FLAGS,
    ...(profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]),
    join(app, 'plumbline-operator.js'),
    '--leader-elect=false',
    `--metrics-address=${metricsPort === undefined ? '0' : `127.0.0.1:${metricsPort}`}`,
    '--health-address=0',
    '--log-level=info',
    '--default-service-account=plumbline',
    `--cache-dir=${cacheDir}`,
    `--watch-namespace=${namespace}`,
    ...args,
  ];
  const { hostname, port } = new URL(cluster.url);
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    [LAUNCHED]: '1',
    ...OPERATOR_ENVIRONMENT,
    POD_NAMESPACE: namespace,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  return new Child((dir) => {
    if (!canBePod()) {
      const kubeconfig = join(dir, 'kubeconfig');
      writeFileSync(kubeconfig, kubeconfigFor(cluster, cluster.tokens.operator));
      return { file: command[0]!, args: [...command.slice(1), `--kubeconfig=${kubeconfig}`], env };
    }
    const account = join(dir, 'account');
    mkdirSync(account);
    const files = { token: cluster.tokens.operator, 'ca.crt': cluster.ca, namespace };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(account, name), content);
    return { file: 'unshare', args: ['--mount', 'sh', '-eu', '-c', AS_POD, 'sh', account, ...command], env };
  });
}

let asPod: boolean | undefined;

/** Whether operators here log in as a pod does. */
export function canBePod(): boolean {
  return (asPod ??= spawnSync('unshare', ['--mount', 'true']).status === 0);
}
