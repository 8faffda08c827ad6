import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict, isExpired, isNotFound, isTransient, isVersionTooLarge } from './errors.ts';
import { errorFromStatus } from './status.ts';

function failed(status: number, body?: unknown, retryAfter?: string, request = 'GET /api/v1/pods') {
  return errorFromStatus({ status, body, retryAfter }, request, () => Date.parse('2026-01-01T00:00:00Z'));
}
const statusBody = (rest: object) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', ...rest });

const codes: [status: number, body: unknown, code: string, transient: boolean][] = [
  [400, undefined, 'ApiBadRequest', false],
  [401, undefined, 'ApiUnauthorized', false],
  [403, undefined, 'ApiForbidden', false],
  [404, undefined, 'ApiNotFound', false],
  [409, statusBody({ reason: 'Conflict' }), 'ApiConflict', false],
  [409, statusBody({ reason: 'AlreadyExists' }), 'ApiAlreadyExists', false],
  [410, undefined, 'ApiExpired', false],
  [413, undefined, 'ApiTooLarge', false],
  [422, undefined, 'ApiInvalid', false],
  [429, undefined, 'ApiBusy', true],
  [500, undefined, 'ApiServerError', true],
  [500, statusBody({ message: 'failed to create typed patch object (/s; v1, Kind=A): .b: …' }), 'ApiBadRequest', false],
  [503, undefined, 'ApiServerError', true],
  [302, undefined, 'ApiUnexpectedAnswer', false],
  [0, statusBody({ code: 410, reason: 'Expired' }), 'ApiExpired', false],
];
for (const [status, body, code, transient] of codes) {
  test(`${status} ${JSON.stringify(body) ?? 'without a body'} is ${code}`, () => {
    const error = failed(status, body);
    assert.equal(error.code, code);
    assert.equal(isTransient(error), transient);
  });
}

test('predicates are about our errors only', () => {
  assert.ok(isNotFound(failed(404)) && isConflict(failed(409)) && isExpired(failed(410)));
  for (const other of [undefined, null, new Error('x'), { code: 'ApiNotFound' }])
    assert.equal(isNotFound(other), false);
});

test('an answer without a body says the status and the request', () => {
  assert.equal(failed(502).message, 'the API server answered 502 Bad Gateway to GET /api/v1/pods');
  assert.equal(failed(502, '<html>secret page</html>').message, failed(502).message);
  assert.equal(failed(599).message, 'the API server answered 599 to GET /api/v1/pods');
});

test('the version that is too large is known by its cause', () => {
  const error = failed(504, statusBody({ details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }));
  assert.ok(isVersionTooLarge(error));
  assert.equal(isVersionTooLarge(failed(504)), false);
});

test('Retry-After: seconds, a date, or the body', () => {
  assert.equal(failed(429, undefined, '7').retryAfterMs, 7_000);
  assert.equal(failed(429, undefined, 'Thu, 01 Jan 2026 00:00:03 GMT').retryAfterMs, 3_000);
  assert.equal(failed(429, statusBody({ details: { retryAfterSeconds: 2 } })).retryAfterMs, 2_000);
  assert.equal(failed(429, undefined, 'soon').retryAfterMs, undefined);
});

test('the server names the object, the error carries it', () => {
  const message = 'deployments.apps "web" not found';
  const error = failed(404, statusBody({ message, details: { name: 'web', group: 'apps', kind: 'deployments' } }));
  assert.equal(error.message, message);
  assert.deepEqual(error.object, { group: 'apps', kind: 'deployments', name: 'web' });
});

test('a long message keeps its beginning and its verdict', () => {
  const message = `Deployment "web" is invalid: spec.selector: Invalid value: ${'x'.repeat(5_000)}: field is immutable`;
  const error = failed(
    422,
    statusBody({ message, details: { name: 'web', kind: 'Deployment', causes: [{ message }] } }),
  );
  for (const text of [error.message, error.causes[0]?.message ?? '']) {
    assert.ok(text.length < 520);
    assert.match(text, /^Deployment "web" is invalid.*field is immutable$/);
  }
});

test('line breaks and control characters do not get into a message', () => {
  assert.equal(failed(400, statusBody({ message: 'a\n\u001b[31mb' })).message, 'a [31mb (GET /api/v1/pods)');
});

const SECRETS = 'PATCH /api/v1/namespaces/a/secrets/s';
const leaks: [what: string, body: { code: number; message: string; details?: object }][] = [
  [
    'a validation error',
    {
      code: 422,
      message: 'Secret "s" is invalid: data[hunter2]: Invalid value: "hunter2": no, it is hunter2',
      details: {
        name: 's',
        kind: 'Secret',
        causes: [{ field: 'data[key]', reason: 'FieldValueInvalid', message: 'Invalid value: "hunter2"' }],
      },
    },
  ],
  ['a type error', { code: 500, message: '.data.k: expected string, got &value.valueUnstructured{Value:hunter2}' }],
  ['a webhook', { code: 403, message: 'admission webhook "w" denied the request: the value \'hunter2\' is weak' }],
  ['an unquoted value', { code: 422, message: 'data: Invalid value: hunter2: too short' }],
  ['a quote that is not closed', { code: 403, message: 'webhook "w" denied it: the value "hunter2 is weak' }],
  ['an escaped quote', { code: 400, message: 'the value "a\\"hunter2" is wrong' }],
];
for (const [what, body] of leaks) {
  test(`${what} does not show a Secret's value`, () => {
    const error = failed(body.code, statusBody(body), undefined, SECRETS);
    assert.doesNotMatch(JSON.stringify([error.message, error.causes, String(error.cause)]), /hunter2/);
  });
}

test('a message about a Secret is masked in one pass, however long it is', () => {
  for (const part of ['\\"', '"\\', '"\\\n', "'\\`", 'field "', "a'", '"a', 'got ']) {
    const message = `secrets "s" "${part.repeat(500_000)}`;
    assert.ok(failed(400, statusBody({ message }), undefined, SECRETS).message.length < 600, part);
  }
});

test('what is harmless about a Secret is told', () => {
  const missing = statusBody({ message: 'secrets "s" not found', details: { name: 's', kind: 'secrets' } });
  assert.equal(failed(404, missing, undefined, SECRETS).message, 'secrets "s" not found');
  const denied =
    'secrets "s" is forbidden: User "system:serviceaccount:a:b" cannot get resource "secrets" in API group "" in the namespace "a"';
  assert.equal(failed(403, statusBody({ message: denied }), undefined, SECRETS).message, `${denied} (${SECRETS})`);
  const apostrophe = statusBody({ message: "secrets can't be written now" });
  assert.match(failed(400, apostrophe, undefined, SECRETS).message, /^secrets can't be written now/);
  const strict = statusBody({ message: 'strict decoding error: unknown field "datta"' });
  assert.match(failed(400, strict, undefined, SECRETS).message, /unknown field "datta"/);
});
