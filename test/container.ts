// Runs a program as the Deployment of deploy/install.yaml would run the image, without an image: the same files in an
// otherwise empty root that is read-only, the user id, the arguments, the environment and the mounts of the manifest. What it
// cannot show: the musl build of Node, limits of memory and CPU, the seccomp profile, the NetworkPolicy.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KubeObject } from '../src/kube/object.ts';
import type { Cluster } from './cluster.ts';
import { serviceAccountToken } from './cluster.ts';

/** The parts of a pod template that are followed; anything else that matters would have to be added here. */
export interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: {
    serviceAccountName: string;
    securityContext: { runAsUser: number; runAsGroup: number; fsGroup: number; runAsNonRoot: boolean };
    containers: ContainerSpec[];
    volumes: { name: string; emptyDir: { sizeLimit: string } }[];
  };
}

export interface ContainerSpec {
  args: string[];
  env: { name: string; valueFrom: { fieldRef: { fieldPath: string } } }[];
  ports: { name: string; containerPort: number }[];
  livenessProbe: { httpGet: { path: string; port: string } };
  readinessProbe: { httpGet: { path: string; port: string } };
  securityContext: { readOnlyRootFilesystem: boolean };
  volumeMounts: { name: string; mountPath: string }[];
}

export interface ContainerOptions {
  cluster: Cluster;
  deployment: KubeObject;
  /** The folder that the image has at /app. */
  app: string;
  /** The file in /app that is run. */
  program?: string;
  /** What the manifest's ports are on this machine, which has only one set of them. */
  ports: Record<string, number>;
}

export interface Container extends AsyncDisposable {
  process: ChildProcess;
  /** Everything it wrote so far, both streams. */
  output: () => string;
  /** Sends SIGTERM, as the kubelet does, and waits for the end. */
  stop: () => Promise<number | null>;
}

/** Why containers cannot be run here, or undefined when they can. */
export function noContainers(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux, for a mount namespace';
  const tried = spawnSync('unshare', ['--mount', 'setpriv', '--no-new-privs', 'chroot', '/', 'true']);
  return tried.status === 0 ? undefined : 'needs unshare, setpriv and chroot, and the right to mount';
}

/** Starts the container; it ends with `stop` or disposal. */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { cluster, deployment, app, program = 'plumbline-operator.js', ports } = options;
  const { spec } = (deployment as unknown as { spec: { template: PodTemplate } }).spec.template;
  const container = spec.containers[0]!;
  const scratch = mkdtempSync(join(tmpdir(), 'plumbline-container-'));
  const account = join(scratch, 'account');
  await writeAccount(cluster, account, deployment.metadata.namespace!, spec.serviceAccountName);
  const root = join(scratch, 'root');
  mkdirSync(root);
  const { runAsUser, runAsGroup } = spec.securityContext;
  const command = [
    '/usr/local/bin/node',
    `/app/${program}`,
    ...container.args.map((arg) => withPorts(arg, container, ports)),
  ];
  const script = [
    // For this shell alone: the program gets no PATH, as in the image.
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    ...rootFilesystem(root, app, account, spec),
    `exec setpriv --no-new-privs $(command -v chroot) --userspec=${runAsUser}:${runAsGroup} ${root} "$@"`,
  ].join('\n');
  const child = spawn('unshare', ['--mount', 'sh', '-eu', '-c', script, 'sh', ...command], {
    env: environment(cluster, deployment, container),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return handle(child, scratch);
}

function handle(child: ChildProcess, scratch: string): Container {
  const chunks: string[] = [];
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      rmSync(scratch, { recursive: true, force: true });
      resolve(code);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    return ended;
  };
  return {
    process: child,
    output: () => chunks.join(''),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** The lines of shell that put the root together: exactly what the Dockerfile copies and what the kubelet mounts. */
function rootFilesystem(root: string, app: string, account: string, spec: PodTemplate['spec']): string[] {
  const node = realpathSync(process.execPath);
  const { runAsUser, fsGroup } = spec.securityContext;
  const bind = (from: string, to: string) => [
    `mkdir -p ${root}${dirname(to)}`,
    `[ -d ${from} ] && mkdir -p ${root}${to} || touch ${root}${to}`,
    `mount --bind ${from} ${root}${to}`,
    `mount -o remount,ro,bind ${root}${to}`,
  ];
  const empty = ({ name, mountPath }: ContainerSpec['volumeMounts'][number]) => {
    const size = spec.volumes.find((volume) => volume.name === name)!.emptyDir.sizeLimit.replace(/i$/, '');
    return [
      `mkdir -p ${root}${mountPath}`,
      `mount -t tmpfs -o size=${size},uid=${runAsUser},gid=${fsGroup} none ${root}${mountPath}`,
    ];
  };
  return [
    `mount --make-rprivate /`,
    `mount -t tmpfs none ${root}`,
    ...[node, ...librariesOf(node)].flatMap((file) => bind(file, file === node ? '/usr/local/bin/node' : file)),
    ...bind(app, '/app'),
    ...bind(account, '/var/run/secrets/kubernetes.io/serviceaccount'),
    ...['/etc/resolv.conf', '/etc/hosts'].flatMap((file) => bind(file, file)),
    `mkdir ${root}/proc ${root}/dev`,
    `mount -t proc none ${root}/proc`,
    ...['null', 'zero', 'random', 'urandom'].flatMap((name) => [
      `touch ${root}/dev/${name}`,
      `mount --bind /dev/${name} ${root}/dev/${name}`,
    ]),
    ...spec.containers[0]!.volumeMounts.flatMap(empty),
    `mount -o remount,ro ${root}`,
  ];
}

/** The shared libraries of this machine's Node; the image has those of its own. */
function librariesOf(binary: string): string[] {
  const { stdout } = spawnSync('ldd', [binary], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
}

/** What the kubelet mounts for a ServiceAccount. */
async function writeAccount(cluster: Cluster, folder: string, namespace: string, name: string): Promise<void> {
  mkdirSync(folder);
  writeFileSync(join(folder, 'token'), await serviceAccountToken(cluster, namespace, name), { mode: 0o644 });
  writeFileSync(join(folder, 'ca.crt'), cluster.ca);
  writeFileSync(join(folder, 'namespace'), namespace);
}

/** The image's, the manifest's and the kubelet's variables, and no other. */
function environment(cluster: Cluster, deployment: KubeObject, container: ContainerSpec): NodeJS.ProcessEnv {
  const { hostname, port } = new URL(cluster.url);
  const pod: Record<string, string> = {
    'metadata.name': `${deployment.metadata.name}-0`,
    'metadata.namespace': deployment.metadata.namespace!,
    'metadata.uid': crypto.randomUUID(),
  };
  return {
    NODE_ENV: 'production',
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    ...Object.fromEntries(container.env.map(({ name, valueFrom }) => [name, pod[valueFrom.fieldRef.fieldPath]!])),
  };
}

function withPorts(arg: string, container: ContainerSpec, ports: Record<string, number>): string {
  return container.ports.reduce(
    (text, { name, containerPort }) => text.replace(new RegExp(`=:${containerPort}$`), `=127.0.0.1:${ports[name]}`),
    arg,
  );
}
