import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { toStructural } from './crd.ts';
import { withRules } from './fields.ts';
import { errorsReference, fieldsReference } from './reference.ts';

test('a field shows its type, its default, its meaning and its rules', () => {
  const spec = z.object({
    url: withRules(z.string().meta({ description: 'Where.' }), {
      cel: 'true',
      holds: () => true,
      message: 'must be near',
    }),
    mode: z.enum(['A', 'B']).default('A').meta({ description: 'A | B.' }),
    parts: z
      .array(z.object({ on: z.boolean().default(true) }))
      .max(2)
      .optional(),
  });
  const nothing = toStructural(z.object({}));
  const kind = { spec: nothing, status: nothing };
  const page = fieldsReference({ spec: toStructural(spec), status: nothing }, kind, kind);
  for (const row of [
    '| `spec.url` | string | required | Where. (must be near) |',
    '| `spec.mode` | `A` or `B` | `"A"` | A \\| B. |',
    '| `spec.parts[]` | list of object |  |  (at most 2) |',
    '| `spec.parts[].on` | boolean | `true` |  |',
  ]) {
    assert.ok(page.includes(`${row}\n`), page);
  }
});

test('one code with two meanings is a mistake', () => {
  const entry = { meaning: 'm', mend: 'n' };
  assert.match(errorsReference({ Git: { A: entry }, Sync: { B: entry } }), /\| `B` \| m \| n \|/);
  assert.throws(
    () => errorsReference({ Git: { A: entry }, Sync: { A: entry } }),
    /A is in two catalogues: Git and Sync/,
  );
  assert.throws(() => errorsReference({ Git: { Progressing: entry } }), /Conditions and Git/);
});
