import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LAUNCHED, OPERATOR_ENVIRONMENT, OPERATOR_FLAGS } from './relaunch.ts';

test('the image starts the operator as it would else start itself again', () => {
  const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');
  const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
  assert.deepEqual(entry.slice(1, -1), OPERATOR_FLAGS);
  const environment = /^ENV NODE_ENV=production((?: \\\n {2}\S+)*)$/m.exec(dockerfile)?.[1] ?? '';
  const pairs = environment
    .split(' \\\n  ')
    .slice(1)
    .map((pair) => pair.split('='));
  assert.deepEqual(Object.fromEntries(pairs), { [LAUNCHED]: '1', ...OPERATOR_ENVIRONMENT });
});
