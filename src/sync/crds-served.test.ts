import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Body } from '../render/body.ts';
import { notServed } from './crds-served.ts';

const crd = (spec?: object) => ({
  body: new Body(JSON.stringify({ kind: 'CustomResourceDefinition', ...(spec && { spec }) })),
});
const widgets = crd({
  group: 'example.com',
  names: { kind: 'Widget' },
  versions: [
    { name: 'v1', served: true },
    { name: 'v2', served: true },
    { name: 'v0', served: false },
  ],
});

/** Discovery that hears of one more kind at each refresh; an error refuses that one. */
function discovery(news: readonly (string | Error | undefined)[]) {
  const known = new Set<string>();
  const coming = [...news];
  return {
    refresh: async () => {
      const next = coming.shift();
      if (next instanceof Error) throw next;
      if (next) known.add(next);
    },
    cached: (apiVersion: string, kind: string) => (known.has(`${apiVersion}/${kind}`) ? ({} as never) : undefined),
    left: () => coming.length,
  };
}

describe('CRDs that are to be served', () => {
  it('waits until discovery lists each served version, over refusals', async () => {
    const late = discovery([undefined, 'example.com/v1/Widget', new Error('reset'), 'example.com/v2/Widget']);
    assert.deepEqual(await notServed(late, [widgets], AbortSignal.timeout(10_000)), []);
    assert.equal(late.left(), 0);
  });

  it('asks once when they are served already, and never for none', async () => {
    const known = discovery([undefined, undefined]);
    assert.deepEqual(await notServed(known, [], AbortSignal.timeout(10_000)), []);
    assert.equal(known.left(), 2);
    const part = crd();
    assert.deepEqual(await notServed(known, [part], AbortSignal.timeout(10_000)), [], 'a body without versions');
    assert.equal(known.left(), 1);
  });

  it('ends with whoever asked', async () => {
    await assert.rejects(notServed(discovery([]), [widgets], AbortSignal.timeout(60)), { name: 'AbortError' });
  });
});
