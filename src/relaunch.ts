const RELAUNCHED = 'PLUMBLINE_LAUNCHED';

/**
 * Lets the process replace itself once, with the same pid, arguments and streams: sizes of V8's young generation, and how
 * glibc keeps freed memory, can only be said before a process starts. Returns in the process that has them, and at once where
 * the system cannot replace processes. `environment`: what the caller's own does not say.
 */
export function relaunch(flags: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
  if (process.env[RELAUNCHED] !== undefined || process.execve === undefined) return;
  const args = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...environment, ...process.env, [RELAUNCHED]: '1' });
}
