import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOf, parseWarnings } from './answer.ts';

const headers: [header: string | string[] | undefined, warnings: string[]][] = [
  [undefined, []],
  ['299 - "one"', ['one']],
  ['299 - "unknown field \\"spec.x\\"", 299 - "two, with a comma"', ['unknown field "spec.x"', 'two, with a comma']],
  [
    ['299 - "one"', '299 kube "two"'],
    ['one', 'two'],
  ],
  ['nonsense', []],
];
for (const [header, warnings] of headers) {
  test(`Warning: ${JSON.stringify(header)}`, () => assert.deepEqual(parseWarnings(header), warnings));
}

const json = { 'content-type': 'application/json' };

test('a body that is not the JSON it claims to be is not quoted', () => {
  const answer = () => answerOf({ statusCode: 200, headers: json }, '{"password":"hunter2', 'GET /x');
  assert.throws(answer, (error: Error) => !/hunter2/.test(`${error.message}${String(error.cause)}`));
});

test('no body, and a body that is not JSON', () => {
  assert.equal(answerOf({ statusCode: 200, headers: json }, '', 'GET /x').body, undefined);
  assert.equal(
    answerOf({ statusCode: 200, headers: { 'content-type': 'text/plain' } }, 'ok', 'GET /x').body,
    undefined,
  );
});
