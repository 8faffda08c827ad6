import type { Finding, Hit, Party } from './finding.ts';

/** Equal for the same trouble, before and after a change. */
export function keyOf(rule: string, hit: Hit): string {
  const object = hit.objectMayChange ? [] : identityOf(hit.object);
  const other = hit.other && !hit.otherMayChange ? identityOf(hit.other) : [];
  return JSON.stringify([rule, ...object, ...other, hit.detail]);
}

/** Of the finding that stands for very many of one rule about one object. */
export function keyOfMany({ rule, object }: Pick<Finding, 'rule' | 'object'>): string {
  return JSON.stringify([rule, identityOf(object), 'many']);
}

/** As JSON the parts stay apart, whatever names an annotation makes up: no finding can pass for another, older one. */
function identityOf({ kind, namespace, name, inside }: Party): unknown[] {
  return [kind, namespace, name, inside];
}
