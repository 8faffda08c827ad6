import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, assertFound, type Case, type RuleCases } from './case.ts';
import { ENVOY_VALUE_CASES } from './envoy-values.cases.ts';
import { BULK_CASES } from './bulk.cases.ts';
import { FORM_CASES } from './form.cases.ts';
import { FREEZE_CASES } from './freeze.cases.ts';
import { ATTACHMENT_CASES } from './attachment.cases.ts';
import { GROUP_CASES } from './groups.cases.ts';
import { NAME_CASES } from './names.cases.ts';
import { ORDER_CASES } from './order.cases.ts';
import { WEIGHT_CASES } from './weights.cases.ts';
import { GLOBAL_CASES, MODULE_CASES } from './global.cases.ts';
import { GRANT_CASES } from './grants.cases.ts';
import { OPTION_CASES } from './options.cases.ts';
import { SIZE_CASES } from './size.cases.ts';
import { RULES } from './table.ts';
import { TCP_CASES, TLS_CONTEXT_CASES, TLS_HOST_CASES, TLS_SECRET_CASES } from './tls.cases.ts';
import { UPSTREAM_CASES } from './upstreams.cases.ts';

/** Rule → its cases, family by family. */
const CASES: Record<string, RuleCases> = {
  ...FREEZE_CASES,
  ...ENVOY_VALUE_CASES,
  ...ATTACHMENT_CASES,
  ...GROUP_CASES,
  ...NAME_CASES,
  ...ORDER_CASES,
  ...WEIGHT_CASES,
  ...UPSTREAM_CASES,
  ...OPTION_CASES,
  ...TLS_HOST_CASES,
  ...TLS_CONTEXT_CASES,
  ...TLS_SECRET_CASES,
  ...TCP_CASES,
  ...GLOBAL_CASES,
  ...MODULE_CASES,
  ...FORM_CASES,
  ...GRANT_CASES,
  ...SIZE_CASES,
  ...BULK_CASES,
};

describe('the table of rules', () => {
  it('names each rule once', () => {
    assert.deepEqual(duplicates(RULES.map(({ id }) => id)), []);
    assert.deepEqual(duplicates(RULES.map(({ name }) => name)), []);
  });

  it('has cases of both sorts for each rule, and no cases without a rule', () => {
    const lacking = (sort: keyof RuleCases) =>
      RULES.filter(({ id }) => Object.keys(CASES[id]?.[sort] ?? {}).length === 0).map(({ id }) => id);
    assert.deepEqual({ flags: lacking('flags'), passes: lacking('passes') }, { flags: [], passes: [] });
    const known = new Set(RULES.map(({ id }) => id));
    assert.deepEqual(
      Object.keys(CASES).filter((id) => !known.has(id)),
      [],
    );
  });
});

for (const rule of RULES) {
  const { flags, passes } = CASES[rule.id] ?? { flags: {}, passes: {} };
  describe(`${rule.id} ${rule.name}`, () => {
    for (const [title, given] of Object.entries(flags)) {
      it(`flags ${title}`, () => assertFound(ask(rule, given), caseOf(given)));
    }
    for (const [title, given] of Object.entries(passes)) {
      it(`passes ${title}`, () => assert.deepEqual(messagesOf(ask(rule, given)), []));
    }
  });
}

function caseOf(given: Parameters<typeof ask>[1]): Case {
  return 'objects' in given ? given : { objects: given };
}

function messagesOf(findings: ReturnType<typeof ask>): string[] {
  return findings.map(({ message }) => message);
}

function duplicates(values: readonly string[]): string[] {
  return values.filter((value, at) => values.indexOf(value) !== at);
}
