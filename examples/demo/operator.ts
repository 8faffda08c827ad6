import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { bundle } from '../../src/build.ts';
import { PlumblineError } from '../../src/errors.ts';
import { freePort } from '../../test/free-port.ts';

const READY_MS = 30_000;
const STOP_MS = 10_000;
const KEPT_LINES = 200;

/** The operator as a process of its own, from the same bundle that the image runs. */
export interface Operator extends AsyncDisposable {
  pid: number;
  /** The last lines that it logged, oldest first. */
  lastLines(count: number): string[];
  /** Rejects when the process ends by itself. */
  ended: Promise<never>;
}

/** Bundles it into `directory`, starts it, and returns when /readyz says so. */
export async function startOperator(
  options: { kubeconfig: string; namespace: string; directory: string },
  signal: AbortSignal,
): Promise<Operator> {
  const app = join(options.directory, 'app');
  await bundle(app);
  signal.throwIfAborted();
  const port = await freePort();
  const flags = [
    `--kubeconfig=${options.kubeconfig}`,
    '--leader-elect=false',
    '--metrics-address=127.0.0.1:0',
    `--health-address=127.0.0.1:${port}`,
    `--cache-dir=${join(options.directory, 'cache')}`,
  ];
  const environment = { ...process.env, POD_NAMESPACE: options.namespace, NODE_ENV: 'production' };
  const child = spawn(process.execPath, [...LIFELINE, join(app, 'plumbline-operator.js'), ...flags], {
    // In a process group of its own: Ctrl-C in the terminal is for the demo, which then stops it in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: environment,
  });
  const operator = operate(child);
  try {
    await Promise.race([untilReady(`http://127.0.0.1:${port}/readyz`, signal), operator.ended]);
  } catch (error) {
    await operator[Symbol.asyncDispose]();
    throw new PlumblineError(
      'DemoOperator',
      `the operator did not start: ${(error as Error).message}\n${operator.lastLines(12).join('\n')}`,
      {
        cause: error,
      },
    );
  }
  return operator;
}

/**
 * Ends the child when the channel to its parent breaks: a kill -9 of the demo must leave no operator behind. Unreferenced, or
 * the channel would keep an operator alive that has shut down in order.
 */
const LIFELINE = [
  '--import',
  `data:text/javascript,${encodeURIComponent("process.on('disconnect', () => process.exit(1)); process.channel?.unref();")}`,
];

function operate(child: ChildProcess): Operator {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    });
  }
  const exit = once(child, 'exit');
  const ended = exit.then(([code, signal]) => {
    throw new PlumblineError('DemoOperator', `the operator ended by itself (${String(signal ?? code)})`);
  });
  // Nobody may be waiting for it at the moment.
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ended,
    lastLines: (count) => lines.slice(-count),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exit;
      clearTimeout(hard);
    },
  };
}

async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(READY_MS);
  const both = AbortSignal.any([signal, deadline]);
  for (;;) {
    // A refused connection is the usual answer of a process that is still starting.
    const answer = await fetch(url, { signal: both }).catch(() => undefined);
    if (answer?.ok) return;
    signal.throwIfAborted();
    if (deadline.aborted) throw new PlumblineError('DemoTimeout', `waited ${READY_MS / 1000} s for ${url}`);
    await pause(25, undefined, { signal });
  }
}
