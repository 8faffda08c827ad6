/**
 * Of the operator: small young generations, and garbage may be collected when it rests (`garbage.ts`). The optimising compilers begin later than by default:
 * what runs a few hundred times at a start is not worth their threads' time, which was a third of the processor time of a
 * restart; what runs all day, as judging a large edge, still gets there. The one WebAssembly, which reads HTTP, stays as it is compiled first: its optimising compiler takes 1 MB. See also `speed-first.ts`.
 */
export const OPERATOR_FLAGS: readonly string[] = [
  '--expose-gc',
  '--max-semi-space-size=2',
  '--invocation-count-for-maglev=4000',
  '--invocation-count-for-turbofan=100000',
  '--invocation-count-for-osr=10000',
  '--liftoff-only',
];

/** Few arenas, and freed memory goes back to the system at once. Other C libraries than glibc ignore these. */
export const OPERATOR_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '65536',
};

/** Set: the process was started with its flags and its environment. */
export const LAUNCHED = 'PLUMBLINE_LAUNCHED';

/**
 * Lets the process replace itself once, with the same pid, arguments and streams: sizes of V8's young generation, and how
 * glibc keeps freed memory, can only be said before a process starts. Returns in the process that has them, and at once where
 * the system cannot replace processes. `environment`: what the caller's own does not say.
 */
export function relaunch(flags: readonly string[], environment: Readonly<Record<string, string>> = {}): void {
  if (process.env[LAUNCHED] !== undefined || process.execve === undefined) return;
  const args = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...environment, ...process.env, [LAUNCHED]: '1' });
}
