/** `*` alone; `*x`; `x*`; anything else is taken literally, and with `*` at both ends nothing but itself is meant. */
type Shape = 'any' | 'suffix' | 'prefix' | 'exact' | 'broken';

/**
 * Can there be a host name that matches both globs? A `*` stands for at least one character and only at one end; letter case
 * and ports are compared as they are written (upstream: ir/irutils.py, hostglob_matches).
 */
export function globsOverlap(a: string, b: string): boolean {
  if (a === b) return true;
  const [shape, other] = [shapeOf(a), shapeOf(b)];
  if (shape === 'any' || other === 'any') return true;
  if (shape === 'broken' || other === 'broken') return false;
  if (shape === 'exact') return other !== 'exact' && matches(b, other, a);
  if (other === 'exact') return matches(a, shape, b);
  if (shape !== other) return true;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return shape === 'suffix' ? long.endsWith(short.slice(1)) : long.startsWith(short.slice(0, -1));
}

/** Does it mean more names than one? */
export function isGlob(host: string): boolean {
  const shape = shapeOf(host);
  return shape !== 'exact' && shape !== 'broken';
}

function matches(glob: string, shape: 'suffix' | 'prefix', name: string): boolean {
  if (name.length < glob.length) return false;
  return shape === 'suffix' ? name.endsWith(glob.slice(1)) : name.startsWith(glob.slice(0, -1));
}

export function shapeOf(glob: string): Shape {
  if (glob === '*') return 'any';
  if (glob === '' || glob.startsWith('.')) return 'broken';
  const start = glob.startsWith('*');
  const end = glob.endsWith('*');
  if (start && end) return 'broken';
  return start ? 'suffix' : end ? 'prefix' : 'exact';
}
