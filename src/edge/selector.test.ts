import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import { labelsMatch, matchLabelsOf, selectsStrictly } from './selector.ts';

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

void test('which versions ask for all labels', () => {
  const table = {
    '2.3.9': false,
    '2.4.0': true,
    '2.5.1': true,
    '3.0.0': false,
    '3.1.0': false,
    '3.2.0': true,
    '4.1.0': true,
  };
  for (const [version, strict] of Object.entries(table)) {
    assert.equal(selectsStrictly({ ...DEFAULT_EDGE_SETTINGS, version }), strict, version);
    assert.equal(selectsStrictly({ ...DEFAULT_EDGE_SETTINGS, version, strictLabelSelectors: false }), false);
  }
});
