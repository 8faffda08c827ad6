import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LABEL_SELECTOR, selects } from './label-selector.ts';

const LABELS = { app: 'web', tier: 'gold', 'example.com/team': 'shop', empty: '' };

const CASES: [selector: string, selected: boolean][] = [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app=api', false],
  ['app!=api', true],
  ['app!=web', false],
  ['other!=web', true],
  ['app', true],
  ['other', false],
  ['!other', true],
  ['! app', false],
  ['app in (web, api)', true],
  ['app in (api)', false],
  ['app notin (api,blog)', true],
  ['other notin (api)', true],
  ['app in (web,api),tier=gold', true],
  ['app in (web,api),tier=silver', false],
  ['example.com/team=shop , app = web', true],
  ['empty=', true],
  ['empty in (,x)', true],
  ['constructor=x', false],
];

for (const [selector, selected] of CASES) {
  test(`${JSON.stringify(selector)} ${selected ? 'selects' : 'leaves out'}`, () => {
    if (selector !== '') assert.match(selector, LABEL_SELECTOR);
    assert.equal(selects(selector, LABELS), selected);
  });
}

for (const selector of [
  'a=b=c',
  'a in',
  'a in (b',
  ',',
  'a,,b',
  'a > 5',
  'a=b c',
  '__proto__',
  `${'a'.repeat(50_000)}(`,
]) {
  test(`${selector.slice(0, 20)} is malformed and selects nothing`, () => {
    assert.doesNotMatch(selector, LABEL_SELECTOR);
    assert.equal(selects(selector, LABELS), false);
  });
}
