import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { MAX_FILE_BYTES, parseFile } from './parse.ts';

const parse = (text: string) => parseFile('f.yaml', Buffer.from(text));
const problems = (text: string) => parse(text).problems.map(({ code, line }) => `${code}${line ? `:${line}` : ''}`);
const HEAD = 'apiVersion: v1\nkind: ConfigMap\n';

test('objects know their lines, also those of lists', () => {
  const file = `# comment\n${HEAD}metadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata:\n    name: b\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: c}\n`;
  const { objects } = parse(file);
  assert.deepEqual(
    objects.map(({ object, line }) => [object.apiVersion, object.kind, object.metadata.name, line]),
    [
      ['v1', 'ConfigMap', 'a', 2],
      ['v1', 'ConfigMap', 'b', 9],
      ['v1', 'Secret', 'c', 11],
    ],
  );
});

test('files that hold no Kubernetes document are left alone', () => {
  for (const text of ['a: 1', '- a\n- b', 'just text', 'a: 1\na: 2', '{"name": "package"}']) {
    const { ignored, problems, objects } = parse(text);
    assert.ok(ignored, text);
    assert.deepEqual([problems, objects], [[], []]);
  }
  for (const text of ['', '# nothing\n', '---\n']) assert.deepEqual(parse(text), { objects: [], problems: [] });
});

test('UTF-16 is known by its byte order mark', () => {
  const littleEndian = Buffer.from(`\ufeff${HEAD}metadata: {name: ä}\n`, 'utf16le');
  for (const content of [littleEndian, Buffer.from(littleEndian).swap16()]) {
    assert.deepEqual(
      parseFile('f.yaml', content).objects.map(({ object }) => object.metadata.name),
      ['ä'],
    );
  }
  assert.equal(parseFile('f.yaml', littleEndian.subarray(0, -1)).problems[0]?.code, 'InvalidEncoding');
});

test('half an object is an error with its line', () => {
  const cases: [string, string[]][] = [
    ['kind: A\nmetadata: {name: a}', ['InvalidObject:1']],
    ['apiVersion: v1\nmetadata: {name: a}', ['InvalidObject:1']],
    [`${HEAD}metadata: {name: a}\n---\na: 1`, ['InvalidObject:5']],
    [HEAD, ['InvalidObject:1']],
    [`${HEAD}metadata:\n  labels: {}`, ['InvalidObject:3']],
    [`${HEAD}metadata:\n  generateName: a-`, ['InvalidObject:3']],
    [`${HEAD}metadata:\n  name: 5`, ['InvalidObject:4']],
    [`${HEAD}metadata:\n  name: a/b`, ['InvalidName:4']],
    [`${HEAD}metadata:\n  name: ..`, ['InvalidName:4']],
    [`${HEAD}metadata:\n  name: "a\\nb"`, ['InvalidName:4']],
    [`${HEAD}metadata:\n  name: a\n  namespace: ../kube-system`, ['InvalidName:5']],
    [`${HEAD}metadata:\n  name: a\n  namespace: 5`, ['InvalidName:5']],
    [
      `${HEAD}metadata:\n  name: a\n  labels:\n    a: x\n    b: yes\n    c: 1`,
      ['InvalidMetadata:7', 'InvalidMetadata:8'],
    ],
    [`${HEAD}metadata:\n  name: a\n  annotations: []`, ['InvalidMetadata:5']],
    ['apiVersion: a/b/c\nkind: A B\nmetadata: {name: a}', ['InvalidName:1', 'InvalidName:2']],
    ['apiVersion: v1\nkind: List\nitems: 5', ['InvalidObject:3']],
    [
      'apiVersion: v1\nkind: List\nitems:\n- 5\n- {apiVersion: v1, kind: List, items: []}',
      ['InvalidObject:4', 'InvalidObject:5'],
    ],
    ['apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}', ['InvalidObject:4']],
    [`${HEAD}metadata: {name: a}\nkind: A`, ['DuplicateKey:4']],
  ];
  for (const [text, expected] of cases) assert.deepEqual(problems(text), expected, text);
});

test('content that is not a plain manifest is refused by name', () => {
  assert.deepEqual(problems('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'), ['LfsPointer']);
  assert.deepEqual(problems(`${HEAD}metadata: {name: a}\nsops: {mac: x, version: 3.9.0}`), ['SopsNotSupported']);
  assert.deepEqual(problems('data: ENC[AES256_GCM,data:x,type:str]'), ['SopsNotSupported']);
  assert.deepEqual(problems(`${HEAD}metadata: {name: a}\ndata: {doc: "write ENC[AES256_GCM,…] so"}`), []);
  assert.equal(parseFile('f', Uint8Array.of(0x61, 0xff)).problems[0]?.code, 'InvalidEncoding');
  // Whoever reads the file stops at one byte too many, so its size is not known.
  const message = `the file has more than ${MAX_FILE_BYTES} bytes`;
  assert.deepEqual(parseFile('f', new Uint8Array(MAX_FILE_BYTES + 1)).problems, [
    { code: 'FileTooLarge', file: 'f', message },
  ]);
});

test('problems stay short, however long what they are about', () => {
  const long = 'a'.repeat(100_000);
  const files = [
    `apiVersion: v1\nkind: ${long}\ndata: {}`,
    `apiVersion: ${long}\nkind: ${long}\nmetadata: {name: ${long}, namespace: ${long}}`,
    `${HEAD}metadata: {name: a, labels: {${long}: 5}}`,
  ];
  for (const file of files) {
    const { problems } = parse(file);
    assert.notEqual(problems.length, 0);
    for (const { message } of problems) assert.ok(message.length < 1_000, `${message.length} characters`);
  }
});

test('however much is wrong, it is told in a moment', () => {
  const lines = (line: (index: number) => string) =>
    Array.from({ length: 100_000 }, (_, index) => line(index)).join('');
  const labels = `${HEAD}metadata:\n  name: a\n  labels:\n${lines((index) => `    k${index}: 1\n`)}`;
  const noObjects = 'items: [' + '1,'.repeat(200_000) + ']\n';
  const list = `apiVersion: v1\nkind: List\n${noObjects}${lines((index) => `k${index}: 1\n`)}`;
  for (const text of [labels, list]) {
    const { problems } = inTime(10_000, () => parse(text));
    assert.equal(problems.length, 100);
    assert.ok(problems.every(({ line }) => line !== undefined));
  }
});

test('problems never quote what a Secret holds', () => {
  const values = [
    '"hunter2',
    '*hunter2',
    '!hunter2! x',
    '!<hunter2',
    '{a: hunter2?}',
    '{hunter2:[]}',
    '!!int hunter2',
    '"hunter2\\/"',
  ];
  for (const value of values) {
    const { problems } = parse(`apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: ${value}\n`);
    assert.equal(problems.length, 1, value);
    assert.doesNotMatch(problems[0]!.message, /hunter2/);
  }
});
