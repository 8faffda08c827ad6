import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, Party } from './finding.ts';
import { sayFinding, verdictOf, type Judgement, type Question } from './verdict.ts';

const host = (name: string): Party => ({ kind: 'Host', namespace: 'shop', name, origin: {} });

function finding(key: string, more: Partial<Finding> = {}): Finding {
  const object = host(key);
  return { key, object, rule: 'EM072', severity: 'error', impact: 'steal', message: 'm', mend: 'Mend it.', ...more };
}

const error = (key: string, more: Partial<Finding> = {}) => finding(key, more);
const warning = (key: string) => finding(key, { severity: 'warning' });
const freeze = (key: string) => finding(key, { impact: 'freeze' });

const sees = (...findings: Finding[]): Judgement => ({ findings, frozen: false });
const frozen = (...findings: Finding[]): Judgement => ({ findings, frozen: true });

const of = (name: string, source: string): Party => ({ ...host(name), origin: { source } });
/** x claims what is granted to others; h1 is a member of the same route. */
const trespass = (object: Party) => finding('trespass', { rule: 'EM100', object });
const collision = (object: Party) => finding('c', { object, other: of('h1', 'shop/app') });

const h1 = { kind: 'Host', namespace: 'shop', name: 'h1' };
const h2 = { kind: 'Host', namespace: 'shop', name: 'h2' };

/** What blocks, or what goes first. */
const CASES: [title: string, question: Partial<Question>, blockedBy: string[], first?: object[]][] = [
  ['nothing is wrong', {}, []],
  ['a new error blocks', { after: sees(error('a'), error('b')) }, ['a', 'b']],
  ['an old error does not', { before: sees(error('a')), after: sees(error('a')) }, []],
  ['of two only the new one is blamed', { before: sees(error('a')), after: sees(error('a'), error('b')) }, ['b']],
  [
    'who takes away the Service that his own Mapping needs is stopped',
    { after: sees({ ...warning('a'), object: of('m', 'shop/app'), missing: h1 }), pruned: [h1] },
    ['a'],
  ],
  [
    'that others rely on it holds nobody up',
    { after: sees({ ...warning('a'), object: of('m', 'blog/app'), missing: h1 }), pruned: [h1] },
    [],
  ],
  [
    'nor that it was never there',
    { after: sees({ ...warning('a'), object: of('m', 'shop/app'), missing: h1 }), pruned: [h2] },
    [],
  ],
  ['a new warning does not block', { after: sees(warning('a')) }, []],
  ['a new warning blocks who asks for it', { after: sees(warning('a')), threshold: 'warning' }, ['a']],
  ['an old warning that becomes an error blocks', { before: sees(warning('a')), after: sees(error('a')) }, ['a']],
  ['only a freeze blocks who only wants to hear', { after: sees(error('a'), freeze('f')), threshold: 'freeze' }, ['f']],
  ['a freeze that was there blocks nobody else', { before: frozen(freeze('f')), after: frozen(freeze('f')) }, []],
  ['who ends a freeze is not blamed for what it hid', { before: frozen(freeze('f')), after: sees(error('a')) }, []],
  [
    'but for what its own objects do',
    {
      before: frozen(freeze('f')),
      after: sees(error('a', { object: of('x', 'shop/app') }), error('b', { other: of('x', 'shop/app') })),
    },
    ['a', 'b'],
  ],
  [
    'and while it lasts everything counts as ever',
    { before: frozen(freeze('f')), after: frozen(freeze('f'), error('a')) },
    ['a'],
  ],
  ['and for a freeze of its own', { before: frozen(freeze('f')), after: sees(freeze('g')) }, ['g']],
  [
    'who keeps to his grants is not held up by somebody who does not',
    { before: sees(trespass(host('x'))), after: sees(trespass(host('x')), collision(host('x'))) },
    [],
  ],
  ['the trespasser himself is stopped', { after: sees(trespass(host('x')), collision(host('x'))) }, ['trespass', 'c']],
  [
    'also where he was one before',
    {
      before: sees(trespass(of('x', 'shop/app'))),
      after: sees(trespass(of('x', 'shop/app')), collision(of('x', 'shop/app'))),
    },
    ['c'],
  ],
  [
    'a freeze is a freeze',
    { before: sees(trespass(host('x'))), after: sees({ ...collision(host('x')), impact: 'freeze' }) },
    ['c'],
  ],
  [
    'what is bad only before the prune goes first',
    { moment: sees(error('m', { object: host('x'), other: host('h1') })), pruned: [h1, h2] },
    [],
    [h1],
  ],
  [
    'found by the annotation that holds it',
    { moment: sees(error('m', { object: { ...host('x'), inside: 'Host shop/h2' } })), pruned: [h1, h2] },
    [],
    [h2],
  ],
  ['all of it where nobody is named', { moment: sees(error('m')), pruned: [h1, h2] }, [], [h1, h2]],
  [
    'a moment that is as bad as before changes nothing',
    { before: sees(error('m')), moment: sees(error('m')), pruned: [h1] },
    [],
    [],
  ],
  ['a moment with a warning neither', { moment: sees(warning('m')), pruned: [h1] }, [], []],
  [
    'what stays bad blocks whatever the moment is',
    { after: sees(error('a')), moment: sees(error('m')), pruned: [h1] },
    ['a'],
  ],
];

for (const [title, question, blockedBy, first = []] of CASES) {
  test(title, () => {
    const asked = {
      before: sees(),
      after: sees(),
      pruned: [],
      sources: ['shop/app'],
      threshold: 'error',
      ...question,
    } as const;
    const verdict = verdictOf(asked);
    assert.deepEqual(verdict.kind === 'blocked' ? verdict.by.map(({ key }) => key) : [], blockedBy);
    assert.deepEqual(verdict.kind === 'passed' ? verdict.first : [], first);
  });
}

test('a finding names both parties and where each is written', () => {
  const mine = { ...host('h1'), origin: { source: 'shop/app', file: 'a.yaml', line: 3 } };
  const theirs = { ...host('h2'), namespace: 'blog', origin: { source: 'blog/app', file: 'b.yaml', line: 9 } };
  assert.equal(
    sayFinding(error('k', { object: mine, other: theirs, message: 'both claim a.example' }), 'shop/app'),
    'EM072 Host shop/h1 (a.yaml:3): both claim a.example; the other one is Host blog/h2 (b.yaml:9 of the source blog/app). Mend it.',
  );
  assert.match(
    sayFinding(error('k', { other: { ...host('h3'), inside: 'Service shop/web' } })),
    /in the annotation of Service shop\/web \(not in Git\)/,
  );
});
