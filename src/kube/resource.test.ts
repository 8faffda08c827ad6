import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionPath, groupVersionPath, objectPath } from './resource.ts';
import type { ApiResource } from './resource.ts';

const roles: ApiResource = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  verbs: [],
  hasStatus: false,
};
const pods: ApiResource = { ...roles, apiVersion: 'v1', group: '', kind: 'Pod', plural: 'pods', namespaced: true };

test('paths', () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  assert.equal(groupVersionPath('v1'), '/api/v1');
  assert.equal(collectionPath(pods), '/api/v1/pods');
  assert.equal(collectionPath(pods, 'shop'), '/api/v1/namespaces/shop/pods');
  assert.equal(collectionPath(roles, 'ignored'), `${rbac}/clusterroles`);
  assert.equal(objectPath(pods, 'shop', 'web', 'status'), '/api/v1/namespaces/shop/pods/web/status');
  assert.equal(objectPath(roles, '', 'My:Role'), `${rbac}/clusterroles/My%3ARole`);
});

for (const name of ['', '.', '..', 'a/b', 'a%2fb', '../secrets/x', '\ud800']) {
  test(`the name ${JSON.stringify(name)} addresses nothing`, () => {
    assert.throws(() => objectPath(pods, 'shop', name), { code: 'InvalidObjectName' });
    if (name) assert.throws(() => collectionPath(pods, name), { code: 'InvalidObjectName' });
  });
}

test('a namespaced object without a namespace is not looked for in the whole cluster', () => {
  assert.throws(() => objectPath(pods, '', 'web'), /Pod web needs a namespace/);
});
