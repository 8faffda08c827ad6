import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
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
  [' "a \\\n \t\n\n  b"', 'a \n\nb'],
  [' "a\\\r\r\n  b"', 'ab'],
  [" 'it''s'", "it's"],
  // A byte order mark, but for the first character of a document, is text.
  ['\n  \ufeffa: [\n\ufeffb]', { '\ufeffa': ['\ufeffb'] }],
  // Block text.
  [' |2\n    a\n   b\n', '  a\n b\n'],
  [' >-\n  a\n  b\n\n  c\n    d\n  e\n', 'a b\nc\n  d\ne'],
  [' |+\n  a\n', 'a\n\n'],
  [' | # comment\n  a', 'a\n'],
  [' &x >-# comment\n  a\n  b', 'a b'],
  ['\n  a:\n  |\n    b\n  c: &x # comment\n  >-\n   d\n   e', { a: 'b\n', c: 'd e' }],
  [' |2\n  \ta\n', '\ta\n'],
  ['\n  a: 1\n   \t\n  b: 2', { a: 1, b: 2 }],
  ['\n- - - 1\n     \t\n- 2', [[[1]], 2]],
  [' |\n  a\n  \tb\n', 'a\n\tb\n'],
  [
    '\n  a: !!binary # comment\n    |\n      aGVsbG8=\n  b: &x !!int\n    >-\n    12\n  c: *x',
    { a: 'hello', b: 12, c: 12 },
  ],
  ['\n  - &x\n    |\n    a\n  - *x', ['a\n', 'a\n']],
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
  [' !!binary 4oLigqw=', '\ufffd\ufffd€'],
  // Keys.
  ['\n  1.0: a', { 1: 'a' }],
  ['\n  -.0: a\n  -0: b', { '-0': 'a', 0: 'b' }],
  ['\n  1000000.0: a', { '1e+06': 'a' }],
  ['\n  1000000: a', { 1000000: 'a' }],
  ['\n  0.1: a', { 0.1: 'a' }],
  ['\n  no: a', { false: 'a' }],
  ['\n  0x10: a', { 16: 'a' }],
  ['\n  ? a\n  ? b\n  : c', { a: null, b: 'c' }],
  ['\n  &k a: b\n  c: *k', { a: 'b', c: 'a' }],
  ['\n  a: &x 1\n  *x: b', { a: 1, 1: 'b' }],
  ['\n  a: &x:b\n  c: *x', { a: ':b', c: ':b' }],
  ['\n  a: # as in &x.y\n    !t &x b\n  c: *x', { a: 'b', c: 'b' }],
  [' [&x, *x]', [null, null]],
  ['\n  a: &x {b: &x 1, c: *x}\n  d: *x\n  e: &x 2\n  f: *x', { a: { b: 1, c: 1 }, d: 1, e: 2, f: 2 }],
  // Merges, in the order of the file.
  ['\n  x: &x {a: 1, b: 2}\n  y: {a: 0, <<: *x}', { x: { a: 1, b: 2 }, true: { a: 1, b: 2 } }],
  ['\n  x: &x {a: 1}\n  z: {<<: [*x, {a: 2, c: 3}]}', { x: { a: 1 }, z: { a: 1, c: 3 } }],
  // Flow layouts of real manifests.
  [' [\n  a,\n  b\n]', ['a', 'b']],
  [' [\n\ta,\n\t"b"\n\t]', ['a', 'b']],
  ['\n    - - [echo a\n&& b, {c\nd}]', [[['echo a && b', { 'c d': null }]]]],
  [' {a: [1,\n2], b: "x\ny"}', { a: [1, 2], b: 'x y' }],
  [' [a, b: c, {d}]', ['a', { b: 'c' }, { d: null }]],
  [' {"a":1,b: }', { a: 1, b: null }],
  [' {a:1}', { 'a:1': null }],
  [` {${'😀'.repeat(1000)}: v}`, { ['😀'.repeat(1000)]: 'v' }],
  [' {a:, b: c:}', { 'a:': null, b: 'c:' }],
  [" [it's:, a\n  b::]", ["it's:", 'a b::']],
  [' {?a, ?b: c}', { a: null, b: 'c' }],
  [' {?a:}', { 'a:': null }],
  [' [sh, -c, -]', ['sh', '-c', '-']],
  [' {a: -, # comment\n  -}', { a: '-', '-': null }],
  // Collections ignore their tags, aliases keep theirs.
  ['\n  a: &x !!str 1\n  b: *x', { a: '1', b: '1' }],
  [' !!str {a: 1}', { a: 1 }],
  [' !!str\n  12', '12'],
  [' [! b:, {c: ! d:}]', ['b:', { c: 'd:' }]],
  // What stands before a key belongs to it, not to the empty value above.
  ['\n  a: !!str\n  &k b: 1\n  c: *k', { a: '', b: 1, c: 'b' }],
  ['\n  a: &x # comment\n\n  !a 1: *x', { a: null, 1: null }],
  ['\n  - a: !!str\n    &k b: 1\n  - *k', [{ a: '', b: 1 }, 'b']],
  ['\n  a: &x\n    !!str\n  b: *x', { a: '', b: '' }],
  ['\n  &k a: 1\n   \t\n  b: 2', { a: 1, b: 2 }],
  ['\n  - !a b: 1\n     \t\n    c: 2', [{ b: 1, c: 2 }]],
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
  [' "\\U0000d800"', 2],
  [' "\\U00110000"', 2],
  [' "\\X41"', 2],
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
  ['\n  \ta', 3],
  ['\n  a: 1\n  \t\n  b: 2', 4],
  ['\n  - 1\n  \t\n  - 2', 4],
  ['\n  a:\n    1\n  \t\n  b: 2', 5],
  ['\n  a: [b,\n  c\n \t]', 5],
  [' !!str\n  \ta', 3],
  [' |\n  \ta', 3],
  [' >-\n\n  \ta', 4],
  [' [\n\ta\n\t]', 4],
  [' ["a"\n"b"]', 3],
  [' [a\n\tb]', 3],
  [' &x a: b', 2],
  [' &x [*x]', 2],
  [' &x[a]', 2],
  [' &é a', 2],
  [' &x%a', 2],
  [' {&x: a}', 2],
  [' *x:y', 2],
  [' *x', 2],
  [' a\u0007b', 2],
  [' a\u2028b', 2],
  [` {${'k'.repeat(1025)}: v}`, 2],
  [' {a: b?c}', 2],
  [' {a:[b]}', 2],
  [' {a?b: 1}', 2],
  [' {a: :b}', 2],
  [' {::}', 2],
  [' {! a?}', 2],
  [' [! a\n\t]', 3],
  ['\n  - -\t\n  -', 3],
  ['\n  - -\n    \t\n  -', 4],
  [' "a\n" b: 1', 2],
  [" {a: 'b\n'}c: 1", 2],
  ['\n  - [\n]- b', 3],
  ['\n  {\n}a: b', 3],
  [' "\n"::', 2],
  ['\n  a: b\n  |', 4],
  ['\n  - a\n  |', 4],
  [' &x\ufeff a', 2],
  [' &x\u00a0 a', 2],
  [' [::a]', 2],
  [' !!int 1.5', 2],
  [' !!', 2],
  [' !a#b c', 2],
  [' !é a', 2],
  [' !> a', 2],
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
  ['a: 1\n---# comment\nb: 2', [{ a: 1 }, { b: 2 }]],
  ['a: 1\n--- # comment\nb: 2\n---\t\nc: 3', [{ a: 1 }, { b: 2 }, { c: 3 }]],
  ['---\n---\n# only a comment\n---\nnull\n---\na: 1\n', [{ a: 1 }]],
  ['a: |\n  x\n---\nb: 1', [{ a: 'x\n' }, { b: 1 }]],
  ['a: 1\n...\nnot read: [\n---\nb: 2', [{ a: 1 }, { b: 2 }]],
  ['\ufeffa: 1\r\n---\r\n\ufeffb: |\r\n  x\r\n', [{ a: 1 }, { b: 'x\n' }]],
  [' \n{"a":1}\n{"b":9007199254740993, "c":"\\ud800\\/"}', [{ a: 1 }, { b: 9007199254740993n, c: '\ufffd/' }]],
  ['# YAML\n{a: 1}', [{ a: 1 }]],
  ['\ufeff{"a":"\\ud83d\\/"}', [{ a: '\ufffd/' }]],
  ['a: 1\n---\u0085\u2003\nb: 2', [{ a: 1 }, { b: 2 }]],
  ['---\n...\n---\na: 1', [{ a: 1 }]],
  // With carriage returns alone the whole file is one piece, of which kubectl reads the first document.
  ['a: |\r  x\r---\rb: 1', [{ a: 'x\n' }]],
  ['# comment\r---\ra: 1\r--- b', [{ a: 1 }]],
  ['a:\r  - -\r  -\rb: [c\rd]', [{ a: [[null], null], b: ['c d'] }]],
  ['a: "b\u0085c"\u0085d: e\u0085--- f', [{ a: 'b c', d: 'e' }]],
  ['a: |+\u0085', [{ a: '\n' }]],
  ['a: |+\r', [{ a: '' }]],
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
    '\ufeff{"a":1,}',
    'a: 1\n---\ufeff\nb: 2',
    '---# comment\na: 1',
    'a: 1\n---\n---# comment\nb: 2',
    'a: 1\n---\n# comment\n...\n---\nb: 2',
    '# comment\r---#\ra: 1',
  ];
  for (const text of cases) assert.equal(readDocuments(text, 'a.yaml').problems.length, 1, text);
});

/** Read by kubectl, refused here on purpose: what it makes of them is not what their author can have meant. */
const STRICTER: [string, string][] = [
  ['a: 1\na: 2', 'the first value would be dropped without a word'],
  [' a: 1\nb: 2', 'all that follows the first node would be dropped without a word'],
  ['a: 1\n%b: 2', 'the same: a directive ends the document'],
  ['# list\n[a]\nb: 2', 'the same'],
  ['a: b\u2028c: d', 'U+2028 and U+2029 end a line, which no editor shows'],
  ['a: [! :b]', 'a mapping of one pair whose key is empty, which its colon does not show'],
  ['a: !b,c d', 'a tag with a comma or a bracket is a forgotten blank'],
  ['{a: 1}', 'JSON that is none: up to 1.32 kubectl refuses it too, later ones may drop what stands behind it'],
  [`a: ${'['.repeat(1001)}${']'.repeat(1001)}`, 'kubectl stops at 10,000 levels, which no manifest comes near'],
];

test('what kubectl reads otherwise than written is refused', () => {
  for (const [text, why] of STRICTER) assert.equal(readDocuments(text, 'f').problems.length, 1, why);
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

test('a long line costs no more than many short ones', () => {
  const line = `{"a":[${'12345678,'.repeat(400_000)}1]}`;
  // Far less than if each value were looked for in the whole line.
  const { documents, problems } = inTime(6_000, () => readDocuments(line, 'f'));
  assert.deepEqual([documents.length, problems], [1, []]);
});

test('a long comment costs no more because there is much below it', () => {
  const pairs = Array.from({ length: 20_000 }, (_, index) => `  k${index}: a?\n`).join('');
  const { problems } = inTime(6_000, () => readDocuments(`data:\n  # ${'x'.repeat(200_000)}\n${pairs}`, 'f'));
  assert.deepEqual(problems, []);
});

test('what aliases repeat is bounded for the whole file, keys as well as values', () => {
  const repeating = (what: string) => `a: &a ${what}\nb: [${'*a,'.repeat(100)}]\n---\n`;
  for (const what of [`"${'x'.repeat(2_000)}"`, `{? "${'k'.repeat(900)}" : 1}`, `[${'1,'.repeat(200)}]`]) {
    assert.deepEqual(readDocuments(repeating(what).repeat(20), 'f').problems, []);
    const { documents, problems } = readDocuments(repeating(what).repeat(200), 'f');
    assert.match(problems[0]!.message, /aliases repeat too (much text|many values)/);
    assert.ok(documents.length < 100, 'the rest is not expanded');
  }
});

test('hostile documents are refused and pollute nothing', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`);
  const bomb = ['a0: &a0 [x]', ...levels].join('\n');
  assert.match(readDocuments(bomb, 'f').problems[0]!.message, /aliases/);
  const long = `a: &a ${'x'.repeat(100_000)}\nb: [${'*a,'.repeat(1000)}]`;
  assert.match(readDocuments(long, 'f').problems[0]!.message, /aliases/);
  assert.equal(readDocuments(`a: ${'['.repeat(100_000)}`, 'f').problems[0]?.code, 'TooDeep');
  assert.equal(readDocuments(`{"a":${'['.repeat(100_000)}`, 'f').problems[0]?.code, 'TooDeep');
  assert.equal(readDocuments(`{"a":[${'1,'.repeat(500_000)}1]}`, 'f').problems[0]?.code, 'FileTooLarge');
  assert.equal(readDocuments('a: 1\n---\n'.repeat(20_000), 'f').problems[0]?.code, 'FileTooLarge');
  const odd = `a: [${String.raw`"\'${'x'.repeat(40)}",`.repeat(90)}]\n---\n`;
  assert.deepEqual(readDocuments(odd.repeat(10), 'f').problems, []);
  assert.match(readDocuments(odd.repeat(200), 'f').problems[0]!.message, /too many constructs/);
  const { documents } = readDocuments('__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}', 'f');
  assert.ok(Object.hasOwn(documents[0]!.value as object, '__proto__'));
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
