import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../test/until.ts';

/** A process that is measured. It ends with this one at the latest; what it writes goes into a file, so that reading it costs nothing here. */
export class Child implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #output: string;
  readonly #kill = () => void this.#child.kill('SIGKILL');
  readonly dir: string;
  /** performance.now() right before it was started. */
  readonly startedAt: number;

  /** `command` gets the child's own folder, which goes away with it. */
  constructor(command: (dir: string) => { file: string; args: string[]; env?: NodeJS.ProcessEnv }) {
    this.dir = mkdtempSync(join(tmpdir(), 'plumbline-bench-'));
    this.#output = join(this.dir, 'output');
    const { file, args, env = process.env } = command(this.dir);
    const output = openSync(this.#output, 'w');
    this.startedAt = performance.now();
    this.#child = spawn(file, args, { stdio: ['ignore', output, output], env });
    closeSync(output);
    this.#ended = once(this.#child, 'exit');
    process.once('exit', this.#kill);
  }

  /** Resolves when it has written this text. */
  async said(text: string): Promise<void> {
    await until(() => this.#assertRunning() || this.output.includes(text), { what: `the process says "${text}"` });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get output(): string {
    return readFileSync(this.#output, 'utf8');
  }

  /** A figure of /proc/<pid>/status in MB (10^6 bytes): VmRSS, VmHWM. */
  memory(name: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return (Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  }

  async ended(): Promise<void> {
    await this.#ended;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.#ended;
  }

  #assertRunning(): false {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) return false;
    throw new Error(`the process has ended (${exitCode ?? signalCode}):\n${this.output.slice(-2000)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    process.off('exit', this.#kill);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
