#!/usr/bin/env node
// The entry of the bundle. Sizes of V8's young generation, and how glibc keeps freed memory, can only be said before a process
// starts; with the defaults the operator holds more than twice the memory at rest. So the process replaces itself once, with
// the same pid, before anything is loaded.

/** Code is compiled for size, and garbage is collected in small steps instead of being kept. */
const FLAGS = ['--optimize-for-size', '--max-semi-space-size=4'];
/** Few arenas, and freed memory goes back to the system at once. Other C libraries ignore these. */
const MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '65536',
};
const LAUNCHED = 'PLUMBLINE_LAUNCHED';

if (process.env[LAUNCHED] === undefined && process.execve !== undefined) {
  const args = [process.execPath, ...FLAGS, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...MALLOC, ...process.env, [LAUNCHED]: '1' });
}
await import('./main.ts');
