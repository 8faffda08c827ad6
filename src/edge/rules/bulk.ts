import { NONE } from '../../none.ts';
import type { Hit, Judged, Rule } from '../finding.ts';
import type { EdgeObject } from '../input.ts';
import { describe, ownerOf } from '../party.ts';
import { Relisted } from '../relisted.ts';

/** A value is some eighty bytes in memory, and three where it is written. What ten thousand Mappings are made of is half of it. */
const MOST_VALUES = 500_000;
/** Objects of fewer values are not counted: they are bounded by the bytes that a source may declare. */
const FEW = 100;

export const BULK_RULES: readonly Rule[] = [
  {
    id: 'EM00D',
    name: 'too-many-values',
    severity: 'error',
    impact: 'freeze',
    when: `What one owner writes for the edge in objects of ${FEW} values and more has over 500,000 values: fields, items of lists.`,
    means:
      'Emissary and the judgement of the edge hold all of them at once, again for each change of anybody, and run out of memory.',
    mend: 'Take out what nobody reads: the free-form parts of a Module above all.',
    find: tooManyValues,
  },
];

/** An object of many values. */
interface Heavy {
  readonly one: EdgeObject;
  readonly values: number;
}

function* tooManyValues({ input }: Judged): Iterable<Hit> {
  const byOwner = new Map<string, { all: number; most: Heavy }>();
  for (const heavy of heavyIn(input.settings).flatMap(input.objects, weighed)) {
    const owner = ownerOf({ origin: heavy.one.origin, namespace: heavy.one.object.metadata.namespace ?? '' });
    const known = byOwner.get(owner);
    const most = known && known.most.values >= heavy.values ? known.most : heavy;
    byOwner.set(owner, { all: (known?.all ?? 0) + heavy.values, most });
  }
  for (const [owner, { all, most }] of byOwner) {
    if (all <= MOST_VALUES) continue;
    const { object, origin } = most.one;
    const { name, namespace = '' } = object.metadata;
    const party = { kind: object.kind, namespace, name, origin };
    const message = `${describe(party)} has ${most.values} values: what ${owner} writes for the edge has ${all}, and no more than ${MOST_VALUES} may be one owner's`;
    yield { object: party, objectMayChange: true, detail: owner, message };
  }
}

const heavyIn = Relisted.bySettings<EdgeObject, Heavy>();

function weighed(one: EdgeObject): readonly Heavy[] {
  const values = valuesIn(one.object);
  return values < FEW ? NONE : [{ one, values }];
}

/** Without recursion, for nothing bounds the depth of JSON. */
function valuesIn(object: object): number {
  let count = 0;
  const open: object[] = [object];
  for (let next = open.pop(); next; next = open.pop()) {
    const values: unknown[] = Array.isArray(next) ? next : Object.values(next);
    count += values.length;
    for (const value of values) if (typeof value === 'object' && value !== null) open.push(value);
  }
  return count;
}
