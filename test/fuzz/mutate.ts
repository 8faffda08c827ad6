// Valid inputs, spoilt: what a fuzz target is fed with. Everything comes from the given generator.
import type { Random } from '../random.ts';

const MAX_BYTES = 256 * 1024;
const INTERESTING = [0, 1, 0x0a, 0x20, 0x22, 0x2d, 0x3a, 0x7f, 0x80, 0xff];

/** One to a few changes: flipped bits, cut, repeated, spliced with another valid input, lengthened. */
export function mutateBytes(input: Uint8Array, others: readonly Uint8Array[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
    bytes = Buffer.from(changeBytes(bytes, others, random)).subarray(0, MAX_BYTES);
  }
  return bytes;
}

function changeBytes(bytes: Buffer, others: readonly Uint8Array[], random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(random.pick([4, 64, 1024])));
  const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  const how = random.pick(['flip', 'flip', 'set', 'cut', 'drop', 'repeat', 'splice', 'swap', 'insert'] as const);
  switch (how) {
    case 'flip':
    case 'set': {
      if (at === bytes.length) return bytes;
      bytes[at] = how === 'flip' ? bytes[at]! ^ (1 << random.below(8)) : random.pick(INTERESTING);
      return bytes;
    }
    case 'cut':
      return before;
    case 'drop':
      return Buffer.concat([before, after]);
    case 'repeat': {
      const times = Math.min(random.pick([2, 3, 50, 2000]), Math.ceil(MAX_BYTES / Math.max(1, middle.length)));
      return Buffer.concat([before, ...Array.from({ length: times }, () => middle), after]);
    }
    case 'splice': {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + 1 + random.below(512)), after]);
    }
    case 'swap':
      return Buffer.concat([before, after, middle]);
    case 'insert':
      return Buffer.concat([
        before,
        Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256))),
        after,
      ]);
  }
}

/** What may stand at any field of a document: nothing of it may stop the operator or hold it up. */
export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 63,
  '',
  '*',
  '/x/',
  '(((((((((a+)+)+)+)+)+)+)+)+)+b',
  'http://[',
  '$HOME',
  '__proto__',
  'x'.repeat(5000),
  // What takes time that grows with the square of a length shows in these.
  '('.repeat(30_000) + ')'.repeat(30_000),
  '['.repeat(60_000),
  '*a'.repeat(30_000),
  '\\"'.repeat(30_000),
  'a.'.repeat(30_000),
  ' '.repeat(60_000),
  'a/'.repeat(30_000),
  ':'.repeat(60_000),
  '\u0000\ud800',
  [],
  {},
  [[]],
  [null],
  [{}],
  ['x', 5],
  { a: null },
  { name: 5 },
  { matchLabels: null },
  { matchLabels: { a: 1 } },
  { constructor: null, toString: 5, hasOwnProperty: 1 },
  JSON.parse('{"__proto__": {"polluted": true}}'),
];

type Holder = Record<string, unknown>;

/** A copy of a JSON value with one to a few places changed: another type, gone, doubled, renamed, nested deep, taken from elsewhere. */
export function mutateValue<T>(input: T, others: readonly unknown[], random: Random): T {
  const root = { root: structuredClone(input) };
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) changeValue(root, others, random);
  return root.root;
}

function changeValue(root: Holder, others: readonly unknown[], random: Random): void {
  const [holder, name] = placeIn(root, random);
  const how = random.pick([
    'hostile',
    'hostile',
    'hostile',
    'drop',
    'add',
    'rename',
    'deepen',
    'lengthen',
    'splice',
  ] as const);
  switch (how) {
    case 'hostile':
      return set(holder, name, structuredClone(random.pick(HOSTILE_VALUES)));
    case 'drop':
      return holder === root ? undefined : void Reflect.deleteProperty(holder, name);
    case 'add': {
      const added = random.pick(['name', 'spec', 'metadata', 'f:x', 'k:{', '.', 'extra']);
      return set(holder, added, structuredClone(random.pick(HOSTILE_VALUES)));
    }
    case 'rename': {
      const value = holder[name];
      if (holder !== root) Reflect.deleteProperty(holder, name);
      return set(
        holder,
        holder === root ? name : random.pick(['toString', 'v:{', 'k:{"a":1}', 'f:', `${name}x`]),
        value,
      );
    }
    case 'deepen': {
      let value = holder[name];
      const isList = random.chance(0.5);
      for (let depth = random.pick([3, 30, 600]); depth > 0; depth -= 1) value = isList ? [value] : { [name]: value };
      return set(holder, name, value);
    }
    case 'lengthen': {
      const value = holder[name];
      const copies = random.pick([2, 20, 2000]);
      if (typeof value === 'string') return set(holder, name, value.slice(0, 100).repeat(copies));
      return set(
        holder,
        name,
        Array.from({ length: Math.min(copies, 200) }, () => structuredClone(value)),
      );
    }
    case 'splice':
      return set(holder, name, structuredClone(placeValue(random.pick(others), random)));
  }
}

function set(holder: Holder, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A random place in the document, near the root as likely as deep. */
function placeIn(root: Holder, random: Random): [Holder, string] {
  let holder = root;
  let name = 'root';
  for (;;) {
    const inner = holder[name];
    if (typeof inner !== 'object' || inner === null || random.chance(0.15)) return [holder, name];
    const names = Object.keys(inner);
    if (names.length === 0) return [holder, name];
    holder = inner as Holder;
    name = random.pick(names);
  }
}

function placeValue(value: unknown, random: Random): unknown {
  const [holder, name] = placeIn({ root: value }, random);
  return holder[name];
}
