import assert from 'node:assert/strict';
import { test } from 'node:test';
import { impersonationHeaders } from './impersonation.ts';

test('a service account and its groups', () => {
  assert.deepEqual(impersonationHeaders({ username: 'system:serviceaccount:shop:deployer', groups: ['a', 'b c'] }), {
    'impersonate-user': 'system:serviceaccount:shop:deployer',
    'impersonate-group': ['a', 'b c'],
  });
});

for (const name of [
  '',
  ' ',
  'a ',
  ' a',
  'a\r\nimpersonate-user: admin',
  'a\u0000',
  'ünï',
  undefined as unknown as string,
]) {
  test(`${JSON.stringify(name)} is refused, as a user and as a group`, () => {
    assert.throws(() => impersonationHeaders({ username: name }), { code: 'InvalidImpersonation' });
    assert.throws(() => impersonationHeaders({ username: 'a', groups: [name] }), { code: 'InvalidImpersonation' });
  });
}
