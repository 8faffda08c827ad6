import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Claims, type ClaimRules } from './claims.ts';
import type { Desired } from './desired.ts';

const object = (name: string) => ({ key: `/ConfigMap/shop/${name}`, policy: { adopt: false } }) as Desired;
const rules: ClaimRules = {
  foreignOwner: () => undefined,
  isHollow: () => false,
  mayInherit: () => true,
  displaced: () => undefined,
};

describe('claims', () => {
  it('are held by the first until it lets go', () => {
    const claims = new Claims();
    assert.deepEqual(claims.claim('a/one', [object('x'), object('y')], rules), []);
    assert.deepEqual(claims.claim('b/two', [object('x')], rules), [{ desired: object('x'), holder: 'a/one' }]);
    assert.equal(claims.of('b/two').size, 0);
    claims.claim('a/one', [object('y')], rules);
    assert.deepEqual(claims.claim('b/two', [object('x')], rules), []);
    assert.equal(claims.holder('/ConfigMap/shop/x'), 'b/two');
  });

  it('go to the source whose the live object is', () => {
    const owned = { ...rules, foreignOwner: () => 'a/one' };
    const claims = new Claims();
    assert.deepEqual(claims.claim('b/two', [object('x')], owned), [{ desired: object('x'), holder: 'a/one' }]);
    assert.equal(claims.holder('/ConfigMap/shop/x'), undefined);
  });

  it('that were never made good keep nobody else from writing', () => {
    const claims = new Claims();
    claims.claim('a/one', [object('x'), object('y')], rules);
    assert.deepEqual(claims.claim('b/two', [object('x')], { ...rules, isHollow: () => true }), []);
    assert.equal(claims.holder('/ConfigMap/shop/x'), 'b/two');
    assert.deepEqual([...claims.of('a/one').keys()], ['/ConfigMap/shop/y']);
    // The first one is told at its next run, and takes nothing back.
    assert.deepEqual(claims.claim('a/one', [object('x'), object('y')], rules), [
      { desired: object('x'), holder: 'b/two' },
    ]);
    claims.release('a/one');
    assert.equal(claims.holder('/ConfigMap/shop/x'), 'b/two');
  });

  it('are inherited by who was refused, or may not have it yet, until he declares it no more', () => {
    const claims = new Claims();
    const { key } = object('x');
    claims.claim('a/one', [object('x')], rules);
    claims.claim('a/two', [object('x')], rules);
    assert.equal(claims.heir(key), 'a/two');
    claims.claim('a/one', [], rules);
    claims.claim('a/two', [], rules, [object('x')]);
    assert.equal(claims.holder(key), undefined);
    assert.equal(claims.heir(key), 'a/two');
    assert.deepEqual(claims.inheritance('a/two'), [key]);
    assert.deepEqual(claims.release('a/two'), [key]);
    assert.equal(claims.heir(key), undefined);
  });

  it('are inherited by another one when one of two heirs waives them', () => {
    const claims = new Claims();
    const { key } = object('x');
    claims.claim('a/one', [object('x')], rules);
    for (const heir of ['a/two', 'a/three']) claims.claim(heir, [object('x')], rules);
    claims.claim('a/three', [], rules);
    assert.equal(claims.heir(key), 'a/two');
    claims.release('a/two');
    assert.equal(claims.heir(key), undefined);
  });
});
