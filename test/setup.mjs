// Runs before every npm script, on whatever Node the machine has: installs the packages when the lock file is newer than
// what is installed. One of them is `node` itself, so everything after this line runs on the Node version we pin.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
const current = existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;
if (!current) {
  console.error('plumbline: installing packages (npm ci, usually under a minute) …');
  // `engine-strict=false`: the machine's own Node may be older; only the npm client runs on it.
  const { status } = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error', '--engine-strict=false'], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    console.error('plumbline: `npm ci` failed; see its message above.');
    process.exit(status ?? 1);
  }
}
