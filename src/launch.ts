#!/usr/bin/env node
// The entry of the bundle. With V8's and glibc's defaults the operator holds more than twice the memory at rest, so the
// process replaces itself once before anything is loaded.
import { relaunch } from './relaunch.ts';

/** Code is compiled for size, and garbage is collected in small steps instead of being kept. */
const FLAGS = ['--optimize-for-size', '--max-semi-space-size=4'];
/** Few arenas, and freed memory goes back to the system at once. Other C libraries ignore these. */
const MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '65536',
};

relaunch(FLAGS, MALLOC);
await import('./main.ts');
