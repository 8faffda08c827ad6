import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PlumblineError } from '../errors.ts';
import { type AuditEntry, type LogLevel, audit, createLog, showError } from './log.ts';

/** A logger, and what it wrote, each line parsed. */
function capture(level: LogLevel = 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { log: createLog({ level, destination }), lines };
}

const healed: AuditEntry = {
  source: 'team/shop',
  commit: 'a'.repeat(40),
  author: 'Ada <ada@example.com>',
  object: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
  action: 'healed',
  fields: [{ path: '/spec/replicas', declared: '3', live: '5', manager: 'kubectl-edit' }],
};

describe('audit', () => {
  test('is one line with all that was done, and a sentence', () => {
    const { log, lines } = capture();
    audit(log, healed);
    const [{ time, ...line } = {}] = lines;
    assert.equal(lines.length, 1);
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(line, { level: 'info', audit: true, ...healed, msg: 'healed Deployment shop/web' });
  });

  for (const [level, written] of [
    ['trace', 1],
    ['fatal', 1],
    ['silent', 0],
  ] as const) {
    test(`at level ${level} writes ${written}`, () => {
      const { log, lines } = capture(level);
      audit(log, healed);
      assert.equal(lines.length, written);
    });
  }

  test('keeps a line below the 16 KiB at which runtimes cut it', () => {
    const { log, lines } = capture();
    const field = { path: `/data/${'k'.repeat(253)}`, declared: 'a'.repeat(256), live: 'b'.repeat(256), manager: 'm' };
    audit(log, { ...healed, fields: Array.from({ length: 500 }, () => field) });
    assert.ok(JSON.stringify(lines[0]).length < 16 * 1024);
    assert.equal(lines[0]?.['moreFields'], 490);
  });

  test('a name cannot forge a line', () => {
    const { log, lines } = capture();
    audit(log, { ...healed, fields: [{ path: '/spec', manager: 'x"}\n{"audit":true,"action":"pruned"}' }] });
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.['action'], 'healed');
  });
});

describe('an error in a log line', () => {
  test('shows code, object and place of an error of ours, and no stack', () => {
    const { log, lines } = capture();
    const cause = new Error('connect ECONNREFUSED');
    const object = { kind: 'Service', namespace: 'shop', name: 'web' };
    log.error(
      { error: new PlumblineError('Invalid', 'no ports', { object, file: 'a.yaml', line: 3, cause }) },
      'failed',
    );
    const [line = {}] = lines;
    const { cause: shownCause, ...shown } = line['error'] as Record<string, unknown>;
    assert.deepEqual(shown, {
      type: 'PlumblineError',
      code: 'Invalid',
      message: 'no ports',
      object: 'Service shop/web',
      file: 'a.yaml',
      line: 3,
    });
    assert.equal((shownCause as { message: string }).message, 'connect ECONNREFUSED');
  });

  test('holds neither body, headers nor the credentials of a URL', () => {
    const { log, lines } = capture();
    const fault = Object.assign(new Error('cannot reach https://ada:hunter2@git.example.com/r.git'), {
      body: 'hunter2',
      headers: { authorization: 'Bearer hunter2' },
      code: 'ECONNREFUSED',
    });
    log.error({ error: new Error('outer https://hunter2@example.com', { cause: fault }) });
    const line = JSON.stringify(lines[0]);
    assert.doesNotMatch(line, /hunter2/);
    assert.match(line, /https:\/\/git\.example\.com\/r\.git/);
    assert.match(line, /"stack":/);
  });

  test('can be anything that was thrown, and a chain without end', () => {
    assert.deepEqual(showError('text'), { type: 'string', message: 'text' });
    const endless = new Error('again');
    endless.cause = endless;
    assert.ok(JSON.stringify(showError(endless)).length < 32 * 1024);
    assert.equal(showError(new Error('x'.repeat(1e6))).message.length, 4096);
  });
});

test('secrets are not written, whoever hands them over', () => {
  const { log, lines } = capture();
  const secret = { data: { key: 'aHVudGVyMg==' }, stringData: { key: 'hunter2' } };
  const remote = { url: 'https://example.com', auth: { username: 'ada', password: 'hunter2' } };
  log.info({ secret, remote, password: 'hunter2', request: { headers: { authorization: 'hunter2' } } }, 'hello');
  assert.doesNotMatch(JSON.stringify(lines[0]), /hunter2|aHVudGVyMg/);
  assert.match(JSON.stringify(lines[0]), /https:\/\/example\.com/);
});
