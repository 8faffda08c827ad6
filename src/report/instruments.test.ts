import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { createInstruments } from './instruments.ts';

test('docs/reference/metrics.md names every metric with its type and labels, and no other', () => {
  const registry = new Registry();
  createInstruments(registry, {});
  const built = registry.getMetricsAsArray().map((metric) => {
    // The typings leave out the labels.
    const { name, type, labelNames } = metric as typeof metric & { labelNames: string[] };
    return [name, `${type} ${labelNames.map((label) => `\`${label}\``).join(', ') || '–'}`] as const;
  });
  const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| `(plumbline_\w+)` +\| (\w+) +\| ([^|]*?) +\|/gm);
  const documented = Array.from(rows, ([, name = '', type, labels]) => [name, `${type} ${labels}`] as const);
  assert.deepEqual(Object.fromEntries(documented), Object.fromEntries(built));
});
