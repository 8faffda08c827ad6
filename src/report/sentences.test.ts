import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DriftedObject, type FailedObject, cut, sayChanges, sayDrift, sayFailures, shorten } from './sentences.ts';

const web: DriftedObject = {
  group: 'apps',
  kind: 'Deployment',
  namespace: 'shop',
  name: 'web',
  action: 'Healed',
  fields: [{ path: '/spec/replicas', declared: '3', live: '5', manager: 'kubectl-edit' }],
};
const route: DriftedObject = { ...web, group: 'getambassador.io', kind: 'Mapping', name: 'web', fields: [] };

describe('sayDrift', () => {
  const cases: { title: string; objects: DriftedObject[]; total?: number; said: string }[] = [
    {
      title: 'one object',
      objects: [web],
      said: '1 object was changed by others and is put back: Deployment shop/web: /spec/replicas 3 → 5 by kubectl-edit',
    },
    {
      title: 'a cluster-scoped object that was deleted, and one without group',
      objects: [
        { kind: 'Namespace', name: 'shop', action: 'Recreated', fields: [] },
        { kind: 'ConfigMap', namespace: 'shop', name: 'a', action: 'Recreated', fields: [] },
      ],
      said: '2 objects were deleted by others and are back: Namespace shop; ConfigMap shop/a',
    },
    {
      title: 'several actions',
      objects: [web, { ...route, action: 'Reported' }],
      said:
        '1 object was changed by others and is put back, 1 object was changed by others and is left so: ' +
        'Deployment shop/web: /spec/replicas 3 → 5 by kubectl-edit; Mapping.getambassador.io shop/web',
    },
    {
      title: 'a value that is gone, one that is not declared, and more fields than fit',
      objects: [
        {
          ...web,
          fields: [
            { path: '/metadata/labels/team', declared: 'shop' },
            { path: '/data/key', live: '***' },
            { path: '/spec/paused', manager: 'kubectl' },
            { path: '/spec/a' },
            { path: '/spec/b' },
          ],
        },
      ],
      said:
        '1 object was changed by others and is put back: Deployment shop/web: /metadata/labels/team shop → (gone), ' +
        '/data/key (not declared) → ***, /spec/paused by kubectl, 2 more fields',
    },
    {
      title: 'only the first of many',
      objects: [web],
      total: 40,
      said:
        '40 objects were changed by others and are put back: Deployment shop/web: /spec/replicas 3 → 5 by kubectl-edit ' +
        '… and 39 more',
    },
  ];
  for (const { title, objects, total, said } of cases) {
    test(title, () => assert.equal(sayDrift(objects, total), said));
  }

  test('5,000 objects with long values stay one line of at most 1,024 characters', () => {
    const fields = [
      { path: '/data/text', declared: 'a\n'.repeat(128), live: '💥'.repeat(128), manager: 'm'.repeat(128) },
    ];
    const objects = Array.from({ length: 5000 }, (_, index): DriftedObject => ({
      ...web,
      name: `web${index}`,
      fields,
    }));
    const said = sayDrift(objects);
    assert.ok(said.length <= 1024);
    assert.match(said, /^5000 objects .*web0.*… and 4\d\d\d more$/);
    assert.ok(said.isWellFormed());
    assert.doesNotMatch(said, /\n/);
  });
});

describe('sayFailures', () => {
  const failure: FailedObject = {
    kind: 'Service',
    namespace: 'shop',
    name: 'web',
    file: 'shop/web.yaml',
    line: 12,
    reason: 'Invalid',
    message: 'spec.ports: Required value',
  };
  const cases: { failures: FailedObject[]; total: number; said: string }[] = [
    {
      failures: [failure],
      total: 1,
      said: '1 of 9 objects could not be applied: Service shop/web (shop/web.yaml:12): spec.ports: Required value',
    },
    {
      failures: [
        { ...failure, line: undefined },
        { ...failure, file: undefined, message: 'two\nlines' },
      ],
      total: 3,
      said:
        '3 of 9 objects could not be applied: Service shop/web (shop/web.yaml): spec.ports: Required value; ' +
        'Service shop/web: two lines … and 1 more',
    },
  ];
  for (const { failures, total, said } of cases) {
    test(said.slice(0, 60), () => assert.equal(sayFailures(failures, total, 9), said));
  }
});

test('sayChanges leaves out what did not happen', () => {
  assert.equal(
    sayChanges({ created: 2, configured: 0, pruned: 1, unchanged: 37 }),
    '2 created, 1 pruned, 37 unchanged',
  );
  assert.equal(sayChanges({ created: 0 }), 'no objects');
});

describe('shorten and cut', () => {
  const cases: [text: string, max: number, shortened: string, cut: string][] = [
    ['short', 5, 'short', 'short'],
    ['longer', 5, 'long…', 'long…'],
    ['a\r\n  b\tc', 20, 'a b c', 'a\r\n  b\tc'],
    ['bell\u0007 and escape\u001b[31m', 40, 'bell and escape [31m', 'bell\u0007 and escape\u001b[31m'],
    ['ab💥💥', 4, 'ab…', 'ab…'],
    ['ab💥💥', 5, 'ab💥…', 'ab💥…'],
  ];
  for (const [text, max, shortened, cutText] of cases) {
    test(`${JSON.stringify(text)} to ${max}`, () => {
      assert.deepEqual([shorten(text, max), cut(text, max)], [shortened, cutText]);
    });
  }
});
