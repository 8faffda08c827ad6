// `npm test [-- PATTERN…]`: builds the test cluster when needed, starts one for the whole run, and hands the test files to
// Node's test runner. A pattern is a part of a file name; without one everything runs.
import { globSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { startSharedCluster } from './cluster.ts';

const patterns = process.argv.slice(2);
const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'])
  .sort()
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`);
  process.exit(1);
}
// Hundreds of processes load the same modules: kept compiled, each starts in half the time.
const NODE_COMPILE_CACHE = join(tmpdir(), 'node-compile-cache');
await using cluster = await startSharedCluster();
const runner = spawn(process.execPath, ['--test', '--test-timeout=300000', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
  env: { NODE_COMPILE_CACHE, ...process.env, ...cluster.environment, NODE_NO_WARNINGS: '1' },
});
const [code] = (await once(runner, 'exit')) as [number | null];
process.exitCode = code ?? 1;
