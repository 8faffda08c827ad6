import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declare, type DeclareSettings } from './declare.ts';
import type { Declared } from './declared.ts';
import { parseFile } from './parse.ts';

const SCOPES: Record<string, 'Namespaced' | 'Cluster'> = {
  ConfigMap: 'Namespaced',
  Secret: 'Namespaced',
  Deployment: 'Namespaced',
  Namespace: 'Cluster',
  CustomResourceDefinition: 'Cluster',
};
const SETTINGS: DeclareSettings = {
  source: { namespace: 'team', name: 'web' },
  scopeOf: (_group, kind) => SCOPES[kind],
};

interface Sent {
  metadata: { namespace?: string; labels: Record<string, string>; annotations: Record<string, string> };
  [field: string]: unknown;
}

function declareText(text: string, settings: Partial<DeclareSettings> = {}) {
  const { objects, problems } = parseFile('f.yaml', Buffer.from(text));
  assert.deepEqual(problems, []);
  return declare(objects, { ...SETTINGS, ...settings });
}

function only(text: string, settings: Partial<DeclareSettings> = {}): Declared & { sent: Sent } {
  const { declared, problems } = declareText(text, settings);
  assert.deepEqual(problems, []);
  assert.equal(declared.length, 1);
  return { ...declared[0]!, sent: JSON.parse(declared[0]!.body.text) as Sent };
}

test('the namespace is the target, else the object’s own, else the source’s', () => {
  const manifest = (kind: string, namespace?: string) =>
    `apiVersion: v1\nkind: ${kind}\nmetadata: {name: a${namespace ? `, namespace: ${namespace}` : ''}}`;
  const cases: [string, string | undefined, string | undefined, string][] = [
    ['ConfigMap', undefined, undefined, 'team'],
    ['ConfigMap', 'own', undefined, 'own'],
    ['ConfigMap', 'own', 'target', 'target'],
    ['Namespace', 'own', 'target', ''],
    ['Unknown', 'own', 'target', 'own'],
    ['Unknown', undefined, 'target', 'target'],
    ['Unknown', undefined, undefined, 'team'],
  ];
  for (const [kind, own, targetNamespace, expected] of cases) {
    const { identity, sent, key } = only(manifest(kind, own), targetNamespace ? { targetNamespace } : {});
    assert.equal(identity.namespace, expected);
    assert.equal(sent.metadata.namespace, expected || undefined);
    assert.equal(key, `/${kind}/${expected}/a`);
  }
  assert.deepEqual(declareText(manifest('Unknown')).unknownKinds, [{ group: '', kind: 'Unknown' }]);
});

test('a CRD of the same commit says where its objects live', () => {
  const crd =
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: foos.x.io}\nspec: {group: x.io, scope: Cluster, names: {kind: Foo}}';
  const { declared, unknownKinds } = declareText(`apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: a}\n---\n${crd}`);
  assert.equal(declared[0]?.identity.namespace, '');
  assert.deepEqual(unknownKinds, []);
});

test('what the server would never give back is not sent', () => {
  const { sent } = only(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  uid: u
  resourceVersion: "1"
  generation: 3
  creationTimestamp: null
  deletionTimestamp: null
  selfLink: /x
  managedFields: []
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", keep: me}
spec:
  replicas: null
  template: {metadata: {creationTimestamp: null, labels: {a: b}}}
status: {}
`);
  assert.deepEqual(sent['spec'], { replicas: null, template: { metadata: { labels: { a: 'b' } } } });
  assert.deepEqual(Object.keys(sent), ['apiVersion', 'kind', 'metadata', 'spec']);
  assert.deepEqual(Object.keys(sent.metadata), ['name', 'annotations', 'namespace', 'labels']);
  assert.deepEqual(sent.metadata.annotations, {
    keep: 'me',
    'plumbline.dev/owner': 'team/web:apps/Deployment/team/a',
  });
});

test('stringData of a Secret becomes data and wins', () => {
  const { sent } = only(
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: eA==, b: eA==}\nstringData: {b: "é", c: ""}',
  );
  assert.deepEqual(sent['data'], { a: 'eA==', b: 'w6k=', c: '' });
  assert.equal('stringData' in sent, false);
  const { problems } = declareText('apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {b: 5}');
  assert.equal(problems[0]?.code, 'InvalidObject');
  const other = only('apiVersion: x.io/v1\nkind: Secret\nmetadata: {name: a}\nstringData: {b: 5}');
  assert.deepEqual(other.sent['stringData'], { b: 5 });
});

test('base64 of a Secret that was wrapped into lines becomes one line', () => {
  const { sent } = only(
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  a: |\n    aGVs\n    bG8=\n  b: eA==\n  c: null',
  );
  assert.deepEqual(sent['data'], { a: 'aGVsbG8=', b: 'eA==', c: null });
  const { problems } = declareText('apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: [x]');
  assert.deepEqual(problems, []);
});

test('rules of an aggregated ClusterRole are the control plane’s', () => {
  const role = (more: string) =>
    only(`apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules: []\n${more}`).sent;
  assert.equal('rules' in role('aggregationRule: {clusterRoleSelectors: []}'), false);
  assert.deepEqual(role('aggregationRule: null')['rules'], []);
  assert.deepEqual(role('')['rules'], []);
});

test('labels: the object’s, then the source’s common ones, then ours', () => {
  const { sent } = only(
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: "1", b: "1", plumbline.dev/name: evil}}',
    {
      commonMetadata: { labels: { b: '2', 'plumbline.dev/namespace': 'evil' }, annotations: { c: '3' } },
    },
  );
  assert.deepEqual(sent.metadata.labels, {
    a: '1',
    b: '2',
    'plumbline.dev/name': 'web',
    'plumbline.dev/namespace': 'team',
  });
  assert.equal(sent.metadata.annotations['c'], '3');
});

test('int64 is exact, and the same file gives the same digest', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {x: [9007199254740993], f: 1e21}';
  const { body, digest } = only(text);
  assert.match(body.text, /"spec":\{"x":\[9007199254740993\],"f":1e\+21\}/);
  assert.equal(digest, only(text).digest);
  assert.match(digest, /^[\w-]{43}$/);
});

test('policy comes from annotations, and unknown values are errors', () => {
  const manifest = (annotations: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {${annotations}}}`;
  const usual = { prune: true, reconcile: true, ssa: 'Override', force: false, adopt: false };
  assert.deepEqual(only(manifest('')).policy, usual);
  assert.deepEqual(
    only(manifest('plumbline.dev/prune: disabled, plumbline.dev/reconcile: Disabled, plumbline.dev/ssa: IfNotPresent'))
      .policy,
    { ...usual, prune: false, reconcile: false, ssa: 'IfNotPresent' },
  );
  assert.deepEqual(only(manifest('plumbline.dev/force: enabled, plumbline.dev/adopt: "true"')).policy, {
    ...usual,
    force: true,
    adopt: true,
  });
  const { declared, problems } = declareText(manifest('plumbline.dev/prune: "no", plumbline.dev/ssa: never'));
  assert.deepEqual(declared, []);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['InvalidAnnotation', 'InvalidAnnotation'],
  );
});

test('what is none of our annotations is an error: it would protect nothing', () => {
  const says = (metadata: string) =>
    declareText(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, ${metadata}}`).problems;
  for (const [metadata, message] of [
    ['annotations: {plumbline.dev/pruned: disabled}', /there is no annotation plumbline\.dev\/pruned: .*dev\/prune,/],
    ['annotations: {plumbline.dev/: x}', /there is no annotation plumbline\.dev\/:/],
    ['labels: {plumbline.dev/prune: disabled}', /plumbline\.dev\/prune is no label: write it as an annotation/],
  ] as const) {
    const [problem, ...others] = says(metadata);
    assert.deepEqual([problem?.code, problem?.line, others], ['InvalidAnnotation', 1, []]);
    assert.match(problem!.message, message);
  }
  // What is exported from a cluster, or written on a source in Git.
  const owned = 'annotations: {plumbline.dev/owner: "a/b:c", plumbline.dev/requestedAt: "1", example.com/pruned: "1"}';
  assert.deepEqual(says(`${owned}, labels: {plumbline.dev/name: a, plumbline.dev/namespace: b}`), []);
  assert.deepEqual(says('annotations: null, labels: null'), []);
});

test('the same object twice is named with both places', () => {
  const text =
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team}\n';
  const { problems } = declareText(text);
  assert.equal(problems.length, 1);
  assert.deepEqual(
    { ...problems[0] },
    {
      code: 'DuplicateObject',
      file: 'f.yaml',
      line: 5,
      message: 'ConfigMap team/a is declared twice: f.yaml:1 and f.yaml:5',
    },
  );
});
