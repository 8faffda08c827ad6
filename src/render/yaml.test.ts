import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDocuments } from './yaml.ts';

/** What `spec` becomes; the answers are those of kubectl's own library. */
const VALUES: [string, unknown][] = [
  // Lists whose last entry is empty, above a dash further left.
  ['\n  - -\n  - a', [[null], 'a']],
  ['\n  - - a\n    -\n  - b', [['a', null], 'b']],
  ['\n  -\n  - a\n  -', [null, 'a', null]],
  // Quoted text.
  [' "it\\\'s"', "it's"],
  [' "a\\\n    b"', 'ab'],
  [' "a\n\n  b"', 'a\nb'],
  [" 'it''s'", "it's"],
  // Block text.
  [' |2\n    a\n   b\n', '  a\n b\n'],
  [' >-\n  a\n  b\n\n  c\n    d\n  e\n', 'a b\nc\n  d\ne'],
  [' |+\n  a\n', 'a\n\n'],
  [' | # comment\n  a', 'a\n'],
  [' |\n  \ta\n', '\ta\n'],
  // Numbers.
  [' -0', 0],
  [' -0.0', 0],
  [' 9223372036854775807', 9223372036854775807n],
  [' -9223372036854775808', -9223372036854775808n],
  [' 0b-11', -3],
  [' 0b111', 7],
  [' 08', 8],
  [' 1e400', '1e400'],
  [' ._5', '._5'],
  [' +1_0.5', 10.5],
  [' 0x', '0x'],
  [' 1:30', '1:30'],
  [' !!float 3', 3],
  [' !!int "0644"', 420],
  [' !!bool "yes"', true],
  [' !!timestamp 2020-01-01', '2020-01-01'],
  [' ! 12', '12'],
  // Keys.
  ['\n  1.0: a', { 1: 'a' }],
  ['\n  1000000.0: a', { '1e+06': 'a' }],
  ['\n  1000000: a', { 1000000: 'a' }],
  ['\n  0.1: a', { 0.1: 'a' }],
  ['\n  no: a', { false: 'a' }],
  ['\n  0x10: a', { 16: 'a' }],
  ['\n  ? a\n  ? b\n  : c', { a: null, b: 'c' }],
  ['\n  &k a: b\n  c: *k', { a: 'b', c: 'a' }],
  // Merges, in the order of the file.
  ['\n  x: &x {a: 1, b: 2}\n  y: {a: 0, <<: *x}', { x: { a: 1, b: 2 }, true: { a: 1, b: 2 } }],
  ['\n  x: &x {a: 1}\n  z: {<<: [*x, {a: 2, c: 3}]}', { x: { a: 1 }, z: { a: 1, c: 3 } }],
  // Flow layouts of real manifests.
  [' [\n  a,\n  b\n]', ['a', 'b']],
  [' {a: [1,\n2], b: "x\ny"}', { a: [1, 2], b: 'x y' }],
  [' [a, b: c, {d}]', ['a', { b: 'c' }, { d: null }]],
  [' {"a":1,b: }', { a: 1, b: null }],
  [' {a:1}', { 'a:1': null }],
  // Collections ignore their tags, aliases keep theirs.
  ['\n  a: &x !!str 1\n  b: *x', { a: '1', b: '1' }],
  [' !!str {a: 1}', { a: 1 }],
  [' !!str\n  12', '12'],
];

test('values are read as kubectl reads them', () => {
  for (const [spec, expected] of VALUES) {
    const { documents, problems } = readDocuments(`kind: A\nspec:${spec}\n`, 'a.yaml');
    assert.deepEqual(problems, [], spec);
    assert.deepEqual(documents[0]?.value, { kind: 'A', spec: expected }, spec);
  }
});

/** Refused by kubectl too; most of them pass in js-yaml. */
const REFUSED: [string, number][] = [
  [' "a\\/b"', 2],
  [' "\\ud83d\\ude00"', 2],
  [' .inf', 2],
  [' -.NaN x: y', 2],
  [' {? [a] : b}', 2],
  ['\n  ~: a', 3],
  ['\n  18446744073709551615: a', 3],
  [' 1\n\t\nb: 2', 3],
  [' "1"\n  \t\nb: 2', 3],
  ['\n  # comment\n\t# comment\n  a: b', 4],
  ['\n  - \ta', 3],
  ['\n\ta: b', 3],
  [' &x a: b', 2],
  [' &x [*x]', 2],
  [' *x', 2],
  [' a\u0007b', 2],
  [' a\u2028b', 2],
  [` {${'k'.repeat(1025)}: v}`, 2],
  [' {a: b?c}', 2],
  [' {a:}', 2],
  [' !!int 1.5', 2],
  [' !!binary "?"', 2],
  [' {<<: 1}', 2],
];

test('what kubectl refuses is refused, with its line', () => {
  for (const [spec, line] of REFUSED) {
    const { problems } = readDocuments(`kind: A\nspec:${spec}\n`, 'a.yaml');
    assert.equal(problems[0]?.code, 'InvalidYaml', spec);
    assert.equal(problems[0]?.line, line, spec);
  }
});

/** Whole files, and the documents that they hold. */
const STREAMS: [string, unknown[]][] = [
  ['a: 1\n--- # comment\nb: 2\n---\t\nc: 3', [{ a: 1 }, { b: 2 }, { c: 3 }]],
  ['---\n---\n# only a comment\n---\nnull\n---\na: 1\n', [{ a: 1 }]],
  ['a: |\n  x\n---\nb: 1', [{ a: 'x\n' }, { b: 1 }]],
  ['a: 1\n...\nnot read: [\n---\nb: 2', [{ a: 1 }, { b: 2 }]],
  ['\ufeffa: 1\r\n---\r\n\ufeffb: |\r\n  x\r\n', [{ a: 1 }, { b: 'x\n' }]],
  [' \n{"a":1}\n{"b":9007199254740993, "c":"\\ud800\\/"}', [{ a: 1 }, { b: 9007199254740993n, c: '\ufffd/' }]],
  ['# YAML\n{a: 1}', [{ a: 1 }]],
  ['', []],
];

test('files are cut into documents as kubectl cuts them', () => {
  for (const [text, expected] of STREAMS) {
    const { documents, problems } = readDocuments(text, 'a.yaml');
    assert.deepEqual(problems, [], text);
    assert.deepEqual(
      documents.map(({ value }) => value),
      expected,
      text,
    );
  }
});

test('separators with content, directives and loose JSON are refused', () => {
  const cases = [
    'a: 1\n--- b: 2',
    'a: 1\n----',
    '%YAML 1.1\n---\na: 1',
    '{"a":1,}',
    '{a: 1}',
    '{"a":1}\n---\n',
    '{"a":1e400}',
  ];
  for (const text of cases) assert.equal(readDocuments(text, 'a.yaml').problems.length, 1, text);
});

test('two rare texts that parsers read differently are refused instead of misread', () => {
  for (const spec of ['"a\\\n\n  b"', '{a?b: 1}'])
    assert.equal(readDocuments(`spec: ${spec}`, 'f').problems.length, 1, spec);
});

test('repeated keys are all named, and nested lines are found through lists', () => {
  const { documents, problems } = readDocuments('a: 1\nb:\n  - c: 1\n    c: 2\na: 3\n', 'f.yaml');
  assert.deepEqual(
    problems.map(({ code, line }) => [code, line]),
    [
      ['DuplicateKey', 4],
      ['DuplicateKey', 5],
    ],
  );
  assert.equal(documents[0]?.lineOf(['b', 0, 'c']), 4);
  assert.equal(documents[0]?.lineOf(['b', 5]), 2);
});

test('hostile documents are refused and pollute nothing', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`);
  const bomb = ['a0: &a0 [x]', ...levels].join('\n');
  assert.match(readDocuments(bomb, 'f').problems[0]!.message, /aliases/);
  const long = `a: &a ${'x'.repeat(100_000)}\nb: [${'*a,'.repeat(1000)}]`;
  assert.match(readDocuments(long, 'f').problems[0]!.message, /aliases/);
  assert.equal(readDocuments(`a: ${'['.repeat(100_000)}`, 'f').problems[0]?.code, 'TooDeep');
  assert.equal(readDocuments(`{"a":${'['.repeat(100_000)}`, 'f').problems[0]?.code, 'TooDeep');
  assert.equal(readDocuments('a: 1\n---\n'.repeat(20_000), 'f').problems[0]?.code, 'FileTooLarge');
  const { documents } = readDocuments('__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}', 'f');
  assert.ok(Object.hasOwn(documents[0]!.value as object, '__proto__'));
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
