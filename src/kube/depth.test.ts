import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withinStack } from './depth.ts';

const deep = JSON.parse(`{"a":1,"b":${'['.repeat(20_000)}${']'.repeat(20_000)},"__proto__":{"c":{"d":2}}}`) as object;

describe('a value that is nested too deeply', () => {
  it('is read down to so many levels', () => {
    assert.equal(
      withinStack(deep, 2, (value) => JSON.stringify(value)),
      '{"a":1,"b":[null],"__proto__":{"c":null}}',
    );
  });

  it('is read as it is when there is stack enough', () => {
    assert.equal(
      withinStack(deep, 2, (value) => value),
      deep,
    );
  });

  it('other errors pass', () => {
    const fail = () => {
      throw new TypeError('no');
    };
    assert.throws(() => withinStack(deep, 2, fail), TypeError);
  });
});
