// `npm run demo [-- --once] [-- --kubeconfig FILE]`: a control plane, a Git server and the operator as a process of its
// own; then the main job, step by step, each with its measured time; then a live view until Ctrl-C.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openControlPlane, type ControlPlane } from './control-plane.ts';
import { accountKubeconfig, installEmissaryCrds, installPlumbline, refuseIfTaken, uninstall } from './installation.ts';
import { liveView } from './live.ts';
import { startOperator, type Operator } from './operator.ts';
import { startConfigRepository, type ConfigRepository } from './repository.ts';
import { shopSources } from './shop.ts';
import { PATIENCE, type Stage } from './stage.ts';
import { STORY } from './story.ts';
import { createTerminal, duration, type Terminal } from './terminal.ts';

const USAGE = `npm run demo [-- OPTIONS]
  --once              end after the last step; exit code 0 only if each step did what it should
  --kubeconfig FILE   play on the cluster of this file's current context instead of an own one: the demo refuses if
                      Plumbline or Emissary is there, and takes away at the end what it created`;
const UNINSTALL_MS = 120_000;
const INTERRUPTED = 130;
const HURRY_MS = 500;

interface Scene {
  plane: ControlPlane;
  repository: ConfigRepository;
  operator: Operator;
  stage: Stage;
}

/** Sets the scene up, piece by piece; whatever stands is taken down again with `stack`, also when a later piece fails. */
async function setUp(
  kubeconfig: string | undefined,
  terminal: Terminal,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Scene> {
  const timed = async <T>(what: string, act: () => Promise<T>, detail: (result: T) => string): Promise<T> => {
    const started = performance.now();
    try {
      signal.throwIfAborted();
      const result = await act();
      terminal.done(what, detail(result), performance.now() - started);
      return result;
    } catch (error) {
      if (!signal.aborted) terminal.failed(what);
      throw error;
    }
  };
  const plane = stack.use(
    await timed(
      'control plane',
      () => openControlPlane(kubeconfig, (line) => terminal.note(line), signal),
      ({ version, client }) => `Kubernetes ${version} at ${client.server}`,
    ),
  );
  const { client } = plane;
  const repository = stack.use(
    await timed(
      'Git server',
      () => startConfigRepository(),
      ({ url, tip }) => `${Object.keys(tip().files).length} files pushed to ${url}`,
    ),
  );
  if (plane.named) await refuseIfTaken(client, signal);
  const directory = await mkdtemp(join(tmpdir(), 'plumbline-demo-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  let operator: Operator | undefined;
  stack.defer(async () => {
    // While the operator still runs: it is the one that removes what the sources own.
    if (plane.named) await tidy(plane, terminal);
    await operator?.[Symbol.asyncDispose]();
  });
  await timed(
    'Emissary CRDs',
    () => installEmissaryCrds(client, signal),
    (count) => `${count} kinds of getambassador.io, v3alpha1 and v2`,
  );
  const account = await timed(
    'Plumbline',
    () => installPlumbline(client, signal),
    () => 'namespace, CRD and RBAC of deploy/install.yaml',
  );
  operator = await timed(
    'operator',
    async () => {
      const file = join(directory, 'kubeconfig');
      await writeFile(file, await accountKubeconfig(client, account, signal), { mode: 0o600 });
      const { namespace } = account;
      return startOperator({ kubeconfig: file, namespace, directory }, signal);
    },
    ({ pid }) => `bundled; process ${pid} with the rights of ServiceAccount ${account.namespace}/${account.name}`,
  );
  const sources = await shopSources(repository.url);
  const { tip, push } = repository;
  return { plane, repository, operator, stage: { client, signal, patience: PATIENCE, sources, tip, push } };
}

async function tidy({ client }: ControlPlane, terminal: Terminal): Promise<void> {
  terminal.line(`\nTaking away what the demo created on ${client.server} …`);
  try {
    await uninstall(client, AbortSignal.timeout(UNINSTALL_MS));
  } catch (error) {
    terminal.failed(`not everything is gone: ${(error as Error).message}`);
  }
}

/** Plays the steps until one fails; says which, why, and what the operator logged last. */
async function play({ stage, operator }: Scene, terminal: Terminal): Promise<boolean> {
  const started = performance.now();
  for (const [index, step] of STORY.entries()) {
    terminal.title(`${index + 1}  ${step.title}`);
    try {
      const { said, ms, report = [] } = await Promise.race([step.play(stage), operator.ended]);
      terminal.done(ms === undefined ? '' : duration(ms), said);
      for (const line of report) terminal.note(line);
    } catch (error) {
      if (stage.signal.aborted) throw error;
      terminal.failed(`step ${index + 1} of ${STORY.length} failed: ${(error as Error).message}`);
      terminal.line('\nThe last lines of the operator:');
      for (const line of operator.lastLines(20)) terminal.note(line);
      return false;
    }
  }
  const total = duration(performance.now() - started);
  terminal.line(`\n${terminal.good(`All ${STORY.length} steps did what they should`)}, in ${total}.`);
  return true;
}

async function show({ plane, repository, stage }: Scene, terminal: Terminal): Promise<void> {
  terminal.title('Live, until Ctrl-C. Try for instance:');
  terminal.note(`kubectl --kubeconfig ${plane.kubeconfig} -n shop-checkout scale deployment checkout --replicas=9`);
  terminal.note(`kubectl --kubeconfig ${plane.kubeconfig} get gitopssources -A`);
  terminal.note(`git clone ${repository.url}`);
  terminal.line();
  await liveView(plane.client, terminal, stage.signal);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const terminal = createTerminal(process.stdout, process.env);
  if (values.help) {
    terminal.line(USAGE);
    return 0;
  }
  const stop = new AbortController();
  let interruptedAt = 0;
  const interrupt = (): void => {
    // The second time somebody is in a hurry: the children end with this process. One Ctrl-C may come twice at once: the
    // terminal signals the whole group, and npm passes its own signal on.
    if (stop.signal.aborted && performance.now() - interruptedAt > HURRY_MS) process.exit(INTERRUPTED);
    if (stop.signal.aborted) return;
    interruptedAt = performance.now();
    terminal.line('\nStopping …');
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  terminal.line(terminal.bold('Plumbline: the main loop on real parts'));
  let played = false;
  try {
    await using stack = new AsyncDisposableStack();
    const scene = await setUp(values.kubeconfig, terminal, stack, stop.signal);
    played = await play(scene, terminal);
    if (played && !values.once) await show(scene, terminal);
    return played ? 0 : 1;
  } catch (error) {
    if (stop.signal.aborted) return INTERRUPTED;
    terminal.line(`\n${terminal.bad((error as Error).message)}`);
    return 1;
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 2;
});
