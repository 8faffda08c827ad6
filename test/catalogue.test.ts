// Every code that the source raises is in the reference, and the reference holds none that nothing raises.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const source = globSync('src/**/*.ts')
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const documented = new Set(
  ['errors', 'conditions'].flatMap((page) =>
    Array.from(readFileSync(`docs/reference/${page}.md`, 'utf8').matchAll(/^\| `(\w+)` \|/gm), ([, code]) => code!),
  ),
);

/** A code stands first in the call that makes an error, or behind `code:`, or behind the status of a condition. */
const RAISED =
  /(?:Error\(|\b(?:refuse|failed|problem|ready|drifted)\(|\bcode:|\bcondition\([^)]{0,30},)\s*(?:'(?:True|False|Unknown)',\s*)?'(?!True|False|Unknown)([A-Z]\w+)'/g;

test('every code that is raised is documented', () => {
  const raised = source.flatMap(({ file, text }) => Array.from(text.matchAll(RAISED), ([, code]) => ({ file, code })));
  assert.ok(raised.length > 100, `only ${raised.length} places found: has the way of raising changed?`);
  assert.deepEqual(
    raised.filter(({ code }) => !documented.has(code!)),
    [],
  );
});

test('every code that is documented can occur', () => {
  const types = new Set(['Ready', 'Reconciling', 'Stalled', 'Drifted', 'Healthy']);
  const unused = [...documented].filter(
    (code) => !types.has(code) && !source.some(({ text }) => text.includes(`'${code}'`)),
  );
  assert.deepEqual(unused, []);
});
