import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { health } from './health.ts';

interface Case {
  case: string;
  expect: string;
  says?: string;
  object: { apiVersion: string; kind: string; metadata?: object };
}

const text = readFileSync(new URL('health.test.yaml', import.meta.url), 'utf8');

describe('health', () => {
  for (const { case: name, expect, says = '', object } of loadAll(text) as Case[]) {
    it(`${object.kind}: ${name}`, () => {
      const { status, message } = health({ ...object, metadata: { name: 'x', ...object.metadata } });
      assert.equal(status, expect, message);
      assert.ok(message.includes(says), `${JSON.stringify(message)} does not say ${JSON.stringify(says)}`);
    });
  }

  it('keeps messages short', () => {
    const conditions = [{ type: 'Ready', status: 'False', message: 'x'.repeat(1000) }];
    assert.equal(
      health({ apiVersion: 'e.com/v1', kind: 'X', metadata: { name: 'x' }, status: { conditions } }).message.length,
      256,
    );
  });

  it('takes a status of any shape', () => {
    for (const status of [
      null,
      5,
      'x',
      [],
      { conditions: {} },
      { conditions: [null] },
      { conditions: 'x' },
      { containerStatuses: [null] },
    ]) {
      for (const [apiVersion, kind] of [
        ['v1', 'Pod'],
        ['apps/v1', 'Deployment'],
        ['e.com/v1', 'X'],
      ] as const) {
        assert.ok(
          ['Current', 'InProgress'].includes(
            health({ apiVersion, kind, metadata: { name: 'x' }, spec: null, status }).status,
          ),
        );
      }
    }
  });
});
