import assert from 'node:assert/strict';
import { it } from 'node:test';
import { workerBytes } from './limits.ts';

const MIB = 1024 ** 2;

it('the worker ends before the container does', () => {
  assert.equal(workerBytes(512 * MIB), 256 * MIB, 'the limit of deploy/deployment.yaml');
  assert.equal(workerBytes(8192 * MIB), 1024 * MIB);
  assert.equal(workerBytes(0), 1024 * MIB, 'no limit');
  assert.equal(workerBytes(2 ** 64), 1024 * MIB, 'how a kernel says that there is none');
});
