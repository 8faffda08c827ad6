#!/usr/bin/env node
import { readArguments } from './cli/arguments.ts';
import { paintFor } from './cli/terminal.ts';
import { PlumblineError } from './errors.ts';
import { relaunch } from './relaunch.ts';

// Thin: flags, one command, its text and its exit code. What the commands do is in cli/command.ts.
async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2), process.env);
  if (typeof args === 'string') return void process.stdout.write(args);
  // Help and mistakes answer at once: the rest is loaded only to be used. Thousands of policies in memory are no garbage, and
  // a large young generation copies them to and fro: with a small one they take half the memory and less time.
  relaunch(['--max-semi-space-size=4']);
  const { run } = await import('./cli/command.ts');
  const { text, code } = await run(args, paintFor(process.stdout, process.env));
  process.stdout.write(`${text.trimEnd()}\n`);
  process.exitCode = code;
}

// A reader that has seen enough (`| head`) closes the pipe.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? process.exitCode : 2));
main().catch((error: unknown) => {
  const expected = error instanceof PlumblineError;
  process.stderr.write(
    expected ? `plumbline: ${error.code}: ${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`,
  );
  process.exitCode = 2;
});
