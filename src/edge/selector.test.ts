import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsMatch, matchLabelsOf } from './selector.ts';

void test('a selector asks for all of its labels, or for any when it is not strict', () => {
  const two = { team: 'x', tier: 'web' };
  assert.equal(labelsMatch({}, {}, true), true);
  assert.equal(labelsMatch(two, { ...two, more: 'y' }, true), true);
  assert.equal(labelsMatch(two, { team: 'x' }, true), false);
  assert.equal(labelsMatch(two, { team: 'x' }, false), true);
  assert.equal(labelsMatch(two, { team: 'y' }, false), false);
  assert.equal(labelsMatch(two, {}, false), false);
  assert.equal(labelsMatch({ constructor: 'x' }, {}, true), false);
});

void test('only matchLabels counts', () => {
  assert.deepEqual(matchLabelsOf({ matchExpressions: [{ key: 'a', operator: 'Exists' }] }), {});
  assert.deepEqual(matchLabelsOf({ matchLabels: { a: 'b' } }), { a: 'b' });
  assert.deepEqual(matchLabelsOf({ matchLabels: null }), {});
  assert.deepEqual(matchLabelsOf('x'), {});
});
