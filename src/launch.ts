#!/usr/bin/env node
// The entry of the bundle. With V8's and glibc's defaults the operator holds more than twice the memory at rest, so the
// process replaces itself once before anything is loaded; in the image it is started with them.
import { parseArgs } from 'node:util';
import { DEFAULT_CACHE_DIR, mayHoldMirrors } from './git/mirror-disk.ts';
import { OPERATOR_ENVIRONMENT, OPERATOR_FLAGS, relaunch } from './relaunch.ts';
import { memoryFirst } from './speed-first.ts';

relaunch(OPERATOR_FLAGS, OPERATOR_ENVIRONMENT);
// Loading the rest already calls a few functions often enough to be compiled anew, for which V8 touches 2 MB of its own code. All
// other flags, and what is wrong with this one, are read there.
const { values } = parseArgs({
  options: { 'cache-dir': { type: 'string', default: DEFAULT_CACHE_DIR } },
  strict: false,
});
if (!mayHoldMirrors(String(values['cache-dir']))) memoryFirst();
await import('./main.ts');
