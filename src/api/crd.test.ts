import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { toStructural } from './crd.ts';
import { matching, notMatching, withRules } from './fields.ts';

const closed = z.object({ a: z.string() });

const REFUSED: [string, z.ZodType][] = [
  ['a union', z.object({ a: z.union([z.string(), z.int()]) })],
  [
    'a choice of objects',
    z.discriminatedUnion('kind', [closed.extend({ kind: z.literal('x') }), closed.extend({ kind: z.literal('y') })]),
  ],
  ['a tuple', z.object({ a: z.tuple([z.string()]) })],
  ['a value of any type', z.object({ a: z.unknown() })],
  ['a closed object', z.strictObject({ a: z.string() })],
  ['an open object with fields', z.looseObject({ a: z.string() })],
  ['a shared definition', z.object({ a: closed.meta({ id: 'Shared' }), b: closed.meta({ id: 'Other' }) })],
  ['two patterns', z.object({ a: z.string().regex(/^a/).regex(/b$/) })],
  ['a look-ahead', z.object({ a: z.string().regex(/^(?!x)/) })],
  ['a back-reference', z.object({ a: z.string().regex(/^(a)\1$/) })],
  ['a date', z.object({ a: z.date() })],
  ['an ISO duration', z.object({ a: z.iso.duration() })],
  ['base64', z.object({ a: z.base64() })],
  ['a read-only field', z.object({ a: z.string().readonly() })],
];

for (const [title, schema] of REFUSED) {
  test(`a CRD cannot say ${title}`, () => {
    assert.throws(() => toStructural(schema));
  });
}

test('a rule cannot hide a flag that RE2 would not see', () => {
  assert.throws(() => matching(/a/i, 'a'), /flags/);
  assert.throws(() => notMatching(/it's/, 'a'), /quote/);
});

test('what a CRD can say comes out as it is meant', () => {
  const schema = z.object({
    name: withRules(z.string().max(8).meta({ description: 'A name.' }), {
      cel: "self != 'x'",
      holds: (name) => name !== 'x',
      message: 'must not be x',
    }),
    size: z.int().min(-1).default(-1).meta({ format: 'int64' }),
    labels: z.record(z.string(), z.string().max(3)).optional(),
    parts: z
      .array(z.object({ on: z.boolean().default(true) }))
      .max(2)
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    nested: z.object({ mode: z.enum(['A', 'B']).default('A') }).prefault({}),
  });
  assert.deepEqual(toStructural(schema), {
    type: 'object',
    required: ['name', 'parts'],
    properties: {
      name: {
        type: 'string',
        maxLength: 8,
        description: 'A name.',
        'x-kubernetes-validations': [{ rule: "self != 'x'", message: 'must not be x' }],
      },
      size: { type: 'integer', format: 'int64', minimum: -1, default: -1 },
      labels: { type: 'object', additionalProperties: { type: 'string', maxLength: 3 } },
      parts: {
        type: 'array',
        maxItems: 2,
        items: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
        'x-kubernetes-list-type': 'atomic',
      },
      nested: { type: 'object', default: {}, properties: { mode: { type: 'string', enum: ['A', 'B'], default: 'A' } } },
    },
  });
});

test('every rule is there for zod too', () => {
  const even = withRules(
    z.object({ a: z.int(), b: z.int() }),
    { cel: 'self.a < self.b', holds: ({ a, b }) => a < b, message: 'a before b', field: 'a' },
    { cel: 'self.b < 10', holds: ({ b }) => b < 10, message: 'b is small' },
  );
  const issues = even.safeParse({ a: 12, b: 11 }).error?.issues.map(({ path, message }) => [path, message]);
  assert.deepEqual(issues, [
    [['a'], 'a before b'],
    [[], 'b is small'],
  ]);
});
