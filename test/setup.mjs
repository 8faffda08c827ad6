// Runs before every npm script, on whatever Node the machine has: installs the packages when the lock file is newer than
// what is installed. One of them is `node` itself, so everything after this line runs on the Node version we pin.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

const INSTALLED = 'node_modules/.package-lock.json';
/** Two `npm ci` at once in one checkout delete each other's work: whoever could make this folder installs. */
const LOCK = '.setup-lock';
const BEAT_MS = 1_000;
/** A holder without a sign of life for so long was killed. Measured by our own clock: the machine may have slept meanwhile. */
const DEAD_MS = 20_000;

function isCurrent() {
  return existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync('package-lock.json').mtimeMs;
}

/** Waits until the lock is ours; resolves with what gives it back. */
async function lock() {
  let heard = { beat: undefined, at: 0 };
  while (!tryLock()) {
    const beat = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (heard.beat === undefined) console.error('plumbline: another run installs packages; waiting for it …');
    if (beat !== heard.beat) heard = { beat, at: performance.now() };
    else if (performance.now() - heard.at > DEAD_MS) rmSync(LOCK, { recursive: true, force: true });
    await delay(100 + 200 * Math.random());
  }
  const beating = setInterval(() => existsSync(LOCK) && utimesSync(LOCK, new Date(), new Date()), BEAT_MS);
  return () => {
    clearInterval(beating);
    rmSync(LOCK, { recursive: true, force: true });
  };
}

function tryLock() {
  try {
    mkdirSync(LOCK);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Resolves with the exit code. `engine-strict=false`: the machine's own Node may be older; only the npm client runs on it. */
function install() {
  console.error('plumbline: installing packages (npm ci, usually under a minute) …');
  const options = ['--no-fund', '--no-audit', '--loglevel=error', '--engine-strict=false'];
  const npm = spawn('npm', ['ci', ...options], { stdio: ['ignore', 2, 2] });
  // We end after it, so that the lock is given back when nobody installs any more.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => npm.kill(signal));
  return new Promise((resolve, reject) => npm.once('error', reject).once('close', (code) => resolve(code ?? 1)));
}

if (!isCurrent()) {
  const unlock = await lock();
  try {
    // Somebody else may have done it while we waited.
    if (!isCurrent()) process.exitCode = await install();
  } catch (error) {
    console.error(`plumbline: npm cannot be started: ${error.message}`);
    process.exitCode = 1;
  } finally {
    unlock();
  }
  if (process.exitCode) console.error('plumbline: `npm ci` failed; see its message above.');
}
