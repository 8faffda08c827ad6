import { MAX_NODES, ReadError, type MappingNode, type Node, type ScalarNode, type Value } from './node.ts';
import { isInteger, MAX_INT64, resolveScalar, type Scalar } from './scalars.ts';

export interface RepeatedKey {
  key: string;
  line: number;
}

/** kubectl has no such limits; what stands behind many aliases would be written out that many times. */
const MAX_ALIAS_TEXT = 8 * 1024 * 1024;
const MAX_ALIAS_NODES = MAX_NODES;

/** What the aliases of one file may still bring. */
export interface AliasAllowance {
  /** Characters, of keys and values. */
  text: number;
  nodes: number;
}

export function aliasAllowance(): AliasAllowance {
  return { text: MAX_ALIAS_TEXT, nodes: MAX_ALIAS_NODES };
}

/** More would only repeat the complaint. */
const MAX_REPEATED = 100;

const MERGE_TAG = 'tag:yaml.org,2002:merge';

/**
 * Gives a document's tree its values, as kubectl's library decodes it: merges (`<<`) in the order of the file, keys made
 * text, aliases expanded within a budget. Keys that a mapping itself repeats are collected; the last one counts.
 * @param allowance shared by the documents of one file
 * @throws ReadError
 */
export function decode(root: Node, allowance = aliasAllowance()): { value: Value; repeated: RepeatedKey[] } {
  const decoder = new Decoder(allowance);
  return { value: decoder.decode(root), repeated: decoder.repeated };
}

class Decoder {
  readonly repeated: RepeatedKey[] = [];
  // The document counts as one.
  #decoded = 1;
  #viaAlias = 0;
  #aliasDepth = 0;
  readonly #allowance: AliasAllowance;

  constructor(allowance: AliasAllowance) {
    this.#allowance = allowance;
  }

  decode(node: Node): Value {
    this.#count(node);
    switch (node.kind) {
      case 'scalar':
        this.#countText(node);
        return toJson(scalarOf(node), node.line);
      case 'sequence':
        return node.items.map((item) => this.decode(item));
      case 'mapping': {
        const target: { [key: string]: Value } = {};
        this.#fill(node, target, true);
        return target;
      }
      case 'alias':
        return this.#throughAlias(() => this.decode(node.target));
    }
  }

  #throughAlias<T>(decode: () => T): T {
    this.#aliasDepth++;
    try {
      return decode();
    } finally {
      this.#aliasDepth--;
    }
  }

  #count(node: Node): void {
    this.#decoded++;
    if (this.#aliasDepth > 0) {
      this.#viaAlias++;
      this.#allowance.nodes--;
    }
    const isExcessive =
      this.#viaAlias > 100 && this.#decoded > 1000 && this.#viaAlias / this.#decoded > allowedAliasRatio(this.#decoded);
    if (isExcessive) throw new ReadError('InvalidYaml', node.line, 'the document uses aliases excessively');
    if (this.#allowance.nodes < 0) throw new ReadError('InvalidYaml', node.line, 'aliases repeat too many values');
  }

  #countText({ text, line }: ScalarNode): void {
    if (this.#aliasDepth === 0) return;
    this.#allowance.text -= text.length;
    if (this.#allowance.text < 0) throw new ReadError('InvalidYaml', line, 'aliases repeat too much text');
  }

  #fill(node: MappingNode, target: { [key: string]: Value }, isFresh: boolean): void {
    // Keys that came by a merge may be overridden: only then does it take a set to know this mapping's own.
    let own = isFresh ? undefined : new Set<string>();
    for (const [index, keyNode] of node.keys.entries()) {
      const valueNode = node.values[index] as Node;
      if (isMerge(keyNode)) {
        own ??= new Set(Object.keys(target));
        this.#merge(valueNode, target);
        continue;
      }
      const key = this.#key(keyNode);
      const isRepeated = own ? own.has(key) : Object.hasOwn(target, key);
      if (isRepeated && this.repeated.length < MAX_REPEATED) this.repeated.push({ key, line: keyNode.line });
      own?.add(key);
      setKey(target, key, this.decode(valueNode));
    }
  }

  #merge(node: Node, target: { [key: string]: Value }): void {
    if (node.kind === 'sequence') {
      // Earlier mappings win over later ones, so they are written last.
      for (const item of node.items.toReversed()) this.#mergeOne(item, target);
    } else {
      this.#mergeOne(node, target);
    }
  }

  #mergeOne(node: Node, target: { [key: string]: Value }): void {
    const mapping = node.kind === 'alias' ? node.target : node;
    if (mapping.kind !== 'mapping') {
      throw new ReadError('InvalidYaml', node.line, 'a merge (<<) needs a mapping or a list of mappings');
    }
    this.#count(node);
    if (node.kind === 'mapping') return this.#fill(mapping, target, false);
    this.#throughAlias(() => {
      this.#count(mapping);
      this.#fill(mapping, target, false);
    });
  }

  #key(node: Node): string {
    this.#count(node);
    if (node.kind === 'alias') return this.#throughAlias(() => this.#key(node.target));
    if (node.kind !== 'scalar') throw new ReadError('InvalidYaml', node.line, 'a key cannot be a list or a mapping');
    this.#countText(node);
    return keyText(node);
  }
}

/**
 * How much of a document may come from aliases, as in go-yaml: 99 % of up to 400,000 nodes, falling to 10 % of 4,000,000.
 */
function allowedAliasRatio(decoded: number): number {
  if (decoded <= 400_000) return 0.99;
  if (decoded >= 4_000_000) return 0.1;
  return 0.99 - 0.89 * ((decoded - 400_000) / 3_600_000);
}

function isMerge(node: Node): boolean {
  return node.kind === 'scalar' && node.text === '<<' && (node.plain || node.tag === '!' || node.tag === MERGE_TAG);
}

function scalarOf(node: ScalarNode): Scalar {
  try {
    return resolveScalar(node);
  } catch (error) {
    throw new ReadError('InvalidYaml', node.line, error instanceof Error ? error.message : String(error));
  }
}

function toJson(value: Scalar, line: number): Value {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new ReadError('InvalidYaml', line, 'JSON has no infinity and no NaN');
  }
  // Minus zero goes through JSON text as an integer and loses its sign.
  if (value === 0) return 0;
  // Above int64 kubectl goes on with a float.
  return typeof value === 'bigint' && value > MAX_INT64 ? Number(value) : value;
}

function keyText(node: ScalarNode): string {
  const key = scalarOf(node);
  if (key === null) throw new ReadError('InvalidYaml', node.line, 'a key cannot be null; quote it if it is text');
  if (typeof key === 'bigint' && key > MAX_INT64) throw new ReadError('InvalidYaml', node.line, 'a key is above int64');
  return typeof key === 'number' && !isInteger(node) ? floatKey(key) : String(key);
}

/** Go's 'g' format of the nearest 32-bit float, with as few digits as tell it from its neighbours. */
function floatKey(key: number): string {
  const single = Math.fround(key);
  if (Number.isNaN(single)) return '.nan';
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  let digits = 1;
  while (digits < 9 && Math.fround(Number(single.toExponential(digits - 1))) !== single) digits++;
  const [mantissa = '', exponent = ''] = single.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return plainDecimal(mantissa, power);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function plainDecimal(mantissa: string, power: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0');
  return sign + (digits.length > power + 1 ? `${whole}.${digits.slice(power + 1)}` : whole);
}

/** `__proto__` is an ordinary key. */
export function setKey(target: { [key: string]: Value }, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
