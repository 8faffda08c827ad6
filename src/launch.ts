#!/usr/bin/env node
// The entry of the bundle. With V8's and glibc's defaults the operator holds more than twice the memory at rest, so the
// process replaces itself once before anything is loaded; in the image it is started with them.
import { OPERATOR_ENVIRONMENT, OPERATOR_FLAGS, relaunch } from './relaunch.ts';

relaunch(OPERATOR_FLAGS, OPERATOR_ENVIRONMENT);
await import('./main.ts');
