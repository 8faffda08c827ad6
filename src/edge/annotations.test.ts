import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { readAnnotation } from './annotations.ts';

function service(config: unknown, labels?: Record<string, string>): KubeObject {
  const annotations = { 'getambassador.io/config': config } as Record<string, string>;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', annotations, ...(labels && { labels }) },
  };
}

const FLAT = 'apiVersion: ambassador/v2\nkind: Mapping\nname: m\nprefix: /x/\nservice: web\n';

describe('an annotation', () => {
  it('may hold flat documents: all but the metadata is spec, the old group is the new one', () => {
    assert.deepEqual(readAnnotation(service(FLAT)), {
      documents: [
        {
          apiVersion: 'getambassador.io/v2',
          kind: 'Mapping',
          metadata: { name: 'm', namespace: 'shop' },
          spec: { prefix: '/x/', service: 'web' },
        },
      ],
    });
  });

  it('may hold documents shaped as Kubernetes objects, and both in one; what is flat counts', () => {
    const { documents } = readAnnotation(
      service(
        'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: {name: a}\nspec: {prefix: /a/}\nprefix: /b/\n',
      ),
    );
    assert.deepEqual(documents[0]?.spec, { prefix: '/b/' });
    assert.equal(documents[0]?.metadata['name'], 'a');
  });

  it('has namespace and labels from its parent, unless it names its own', () => {
    const own = `${FLAT}namespace: other\nmetadata_labels: {a: b}\ngeneration: 3\n`;
    const { documents } = readAnnotation(service(`${FLAT}---\n${own}`, { team: 'x' }));
    assert.deepEqual(
      documents.map(({ metadata }) => metadata),
      [
        { name: 'm', namespace: 'shop', labels: { team: 'x' } },
        { name: 'm', namespace: 'other', labels: { a: 'b' }, generation: 3 },
      ],
    );
  });

  it('may hold empty documents and comments', () => {
    const { documents, problem } = readAnnotation(
      service(`---\n# nothing\n---\n${FLAT}---\n   \n--- # the end\nnull\n`),
    );
    assert.equal(documents.length, 1);
    assert.equal(problem, undefined);
  });

  for (const [title, bad, problem] of [
    ['a tab indents', 'kind: Mapping\nspec:\n\tprefix: /x/\n', /^line \d+: .*tab/],
    ['a document is a list', '- kind: Mapping\n', /no mapping of fields/],
    ['a document has no kind', 'apiVersion: ambassador/v2\nname: x\n', /names no kind/],
    ['it is too long', `${FLAT}# ${'x'.repeat(300_000)}`, /longer than/],
    ['it is too deep', `kind: Mapping\nspec: ${'['.repeat(5000)}`, /maxDepth|deep/],
  ] as const) {
    it(`is not read at all when ${title}`, () => {
      const reading = readAnnotation(service(`${FLAT}---\n${bad}`));
      assert.deepEqual(reading.documents, []);
      assert.match(reading.problem ?? '', problem);
    });
  }

  it('brings by aliases no more than it could hold, all documents together', () => {
    const repeating = (values: number, aliases: number) =>
      `kind: X\nname: a\na: &a [${'b,'.repeat(values)}]\nc: [${'*a,'.repeat(aliases)}]\n---\n`;
    assert.equal(readAnnotation(service(`${FLAT}---\n${repeating(100, 40).repeat(2)}`)).documents.length, 3);
    for (const config of [repeating(3600, 95), repeating(100, 40).repeat(3)]) {
      assert.match(readAnnotation(service(config)).problem ?? '', /aliases repeat too many values/);
    }
    const long = `kind: X\nname: a\na: &a ${'b'.repeat(10_000)}\nc: [${'*a,'.repeat(30)}]\n`;
    assert.match(readAnnotation(service(long)).problem ?? '', /aliases repeat too much text/);
  });

  it('takes the last of two equal keys, as upstream does', () => {
    assert.equal(readAnnotation(service(`${FLAT}prefix: /y/\n`)).documents[0]?.spec['prefix'], '/y/');
  });

  it('survives hostile keys and values', () => {
    const { documents } = readAnnotation(
      service('kind: Mapping\n__proto__: {polluted: yes}\nmetadata: []\nspec: 5\nconstructor: x\n'),
    );
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.ok(Object.hasOwn(documents[0]?.spec ?? {}, '__proto__'));
    assert.equal(documents[0]?.apiVersion, '');
    for (const config of [undefined, null, 5, {}]) assert.deepEqual(readAnnotation(service(config)).documents, []);
  });
});
