import { hash } from 'node:crypto';
import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { fieldOf, isLeaf, stepOf } from './fields.ts';
import { isMember, itemIn } from './lookup.ts';

/**
 * One short text for (what we own, the live values there), so that a watch event can be judged without keeping the object:
 * equal digests mean that nobody touched what we declared. Status, foreign fields and other managers' entries do not count.
 *
 * Relies on the server writing one object the same way each time; if an upgrade changes that, the digest differs once and
 * the slower comparison says so. Costs some microseconds, see baseline.test.ts.
 */
export function digestOwned(live: KubeObject, fields: FieldsV1): string {
  const parts: string[] = [JSON.stringify(fields)];
  collect(live, fields, parts);
  return hash('sha256', parts.join('\n'), 'base64url');
}

function collect(value: unknown, node: FieldsV1, parts: string[]): void {
  if (isLeaf(node)) {
    // A value that is gone must differ from every value that is there; JSON has no word for it.
    parts.push(JSON.stringify(value) ?? 'gone');
    return;
  }
  for (const trieKey in node) {
    const child = node[trieKey]!;
    if (trieKey.startsWith('f:')) {
      collect(fieldOf(value, trieKey.slice(2)), child, parts);
      continue;
    }
    const step = stepOf(trieKey);
    if (!step) continue;
    if ('key' in step) collect(itemIn(value, step.key), child, parts);
    else if ('value' in step) parts.push(isMember(value, step.value) ? 'member' : 'gone');
    else if ('index' in step) collect(Array.isArray(value) ? value[step.index] : undefined, child, parts);
  }
}
