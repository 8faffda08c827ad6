import { spawn, execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const SOURCES = join(import.meta.dirname, 'cluster');
const KUBERNETES = { version: 'v1.36.3', major: '1', minor: '36' };
/** The Go that Kubernetes 1.36 is written for. */
const GO = { major: 1, minor: 26 };
const UNUSED_DAYS = 7;

type Log = (line: string) => void;

let building: Promise<string> | undefined;

/**
 * The path of the test cluster's binary (source: test/cluster). It is built when the cache, $PLUMBLINE_CACHE or
 * ~/.cache/plumbline, has none for these sources and this Go: once, even when several processes ask. Rejects with a message
 * for people when Go is missing, too old, or cannot build it.
 */
export function buildCluster(log: Log = console.error): Promise<string> {
  return (building ??= findOrBuild(log));
}

async function findOrBuild(log: Log): Promise<string> {
  const go = await goVersion();
  const cache = process.env['PLUMBLINE_CACHE'] ?? join(homedir(), '.cache', 'plumbline');
  const binary = join(cache, `cluster-${await digestSources(go.text)}`);
  if (await useCached(binary)) return binary;
  await mkdir(cache, { recursive: true });
  const lock = await takeLock(`${binary}.lock`, log);
  try {
    if (await useCached(binary)) return binary; // somebody built it while we waited
    await build(binary, go, log);
    await removeUnused(cache, binary);
    return binary;
  } finally {
    await rm(lock, { force: true });
  }
}

async function goVersion(): Promise<{ text: string; newer: boolean }> {
  const needed = `Go ${GO.major}.${GO.minor}`;
  const otherWay = 'Install it from https://go.dev/dl. The demo can do without: npm run demo -- --kubeconfig FILE.';
  let text: string;
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'], { cwd: SOURCES, env: goEnvironment() });
    text = stdout.trim();
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no `go` is in the PATH' : '`go env` failed';
    throw new Error(`The test cluster is built from source with ${needed}, but ${found}. ${otherWay}`, {
      cause: error,
    });
  }
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(text) ?? [];
  const ahead = (Number(major) - GO.major) * 1000 + Number(minor) - GO.minor;
  if (ahead < 0) throw new Error(`The test cluster needs ${needed}, but this is ${text}. ${otherWay}`);
  return { text, newer: ahead > 0 };
}

function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
}

async function digestSources(go: string): Promise<string> {
  const hash = createHash('sha256').update(`${go} ${KUBERNETES.version} ${process.platform} ${process.arch}`);
  for (const file of (await readdir(SOURCES)).sort()) {
    if (/\.(go|mod|sum)$/.test(file)) hash.update(`\0${file}\0`).update(await readFile(join(SOURCES, file)));
  }
  return hash.digest('hex').slice(0, 20);
}

/** Whether it is there; marks it as used today. */
async function useCached(binary: string): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(binary, now, now);
    return true;
  } catch {
    return false;
  }
}

/**
 * One builder at a time. A lock of a dead process is taken over; should two take it over at once, both build, which costs
 * time and nothing else: the binary arrives by rename.
 */
async function takeLock(file: string, log: Log): Promise<string> {
  for (let waited = false; ; waited = true) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!waited) log('plumbline: another process builds the test cluster; waiting for it …');
    if (!(await ownerLives(file))) await rm(file, { force: true });
    await pause(250);
  }
}

async function ownerLives(lock: string): Promise<boolean> {
  try {
    const owner = Number(await readFile(lock, 'utf8'));
    if (owner === 0) return true; // created, not yet written
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function build(binary: string, go: { text: string; newer: boolean }, log: Log): Promise<void> {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1000);
  log(
    `plumbline: building the test cluster: etcd and Kubernetes ${KUBERNETES.version} with ${go.text}; ` +
      'usually 5 minutes the first time, 20 s when only our own code changed …',
  );
  const progress = setInterval(() => log(`plumbline: … still building the test cluster, ${seconds()} s`), 60_000);
  const unfinished = `${binary}.${randomUUID()}`;
  try {
    await compile(unfinished, go.newer);
    await rename(unfinished, binary);
  } finally {
    clearInterval(progress);
    await rm(unfinished, { force: true });
  }
  log(`plumbline: the test cluster is built (${seconds()} s): ${binary}`);
}

async function compile(output: string, newerGo: boolean): Promise<void> {
  // Without these the server reports a placeholder as its version.
  const { version, major, minor } = KUBERNETES;
  const stamp = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor })
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${stamp}`, '-o', output, '.'];
  // Go 1.27 turns its new JSON package on, with which Kubernetes 1.36 serves a broken OpenAPI document.
  const experiment = newerGo ? { GOEXPERIMENT: 'nojsonv2' } : {};
  const go = spawn('go', ['build', ...flags], {
    cwd: SOURCES,
    env: { ...goEnvironment(), ...experiment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  go.stderr.setEncoding('utf8').on('data', (text: string) => (complaints = (complaints + text).slice(-4000)));
  const [code] = (await once(go, 'close')) as [number | null];
  if (code !== 0) throw new Error(`go build of ${SOURCES} failed:\n${complaints}`);
}

/** Each binary is more than 100 MB, and every edit of the sources makes a new one. */
async function removeUnused(cache: string, current: string): Promise<void> {
  const oldest = Date.now() - UNUSED_DAYS * 24 * 3600_000;
  for (const name of await readdir(cache)) {
    const file = join(cache, name);
    if (!name.startsWith('cluster-') || file === current) continue;
    const used = await stat(file).catch(() => undefined);
    if (used?.isFile() && used.mtimeMs < oldest) await rm(file, { force: true });
  }
}
