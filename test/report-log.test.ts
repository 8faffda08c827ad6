// What was logged before the process exits is written, also into a pipe that nobody empties quickly.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

test('nothing is lost when the process exits right after logging', async () => {
  const url = new URL('../src/report/log.ts', import.meta.url).href;
  const program = `
    import { createLog } from ${JSON.stringify(url)};
    const log = createLog();
    for (let line = 1; line <= 5000; line++) log.info({ line, padding: 'x'.repeat(200) }, 'hello');
    process.exit(0);
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  assert.equal(lines.length, 5000);
  assert.equal((JSON.parse(lines.at(-1) ?? '') as { line: number }).line, 5000);
});
