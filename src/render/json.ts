import { MAX_DEPTH, MAX_NODES, ReadError, type Node } from './node.ts';

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/**
 * Reads a stream of JSON values one after the other, strictly, into the same trees as YAML: JSON.parse would round int64
 * and hide repeated keys.
 * @throws ReadError
 */
export function composeJson(text: string): Node[] {
  const reader = new JsonReader(text);
  const values: Node[] = [];
  while (reader.skipSpace()) values.push(reader.value(0));
  return values;
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #nodes = 0;
  #line = 1;
  #nextBreak: number;

  constructor(text: string) {
    this.#text = text;
    this.#nextBreak = text.indexOf('\n');
  }

  /** False at the end of the text. */
  skipSpace(): boolean {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
    return this.#at < this.#text.length;
  }

  value(depth: number): Node {
    if (depth > MAX_DEPTH) throw new ReadError('TooDeep', this.#lineHere(), `nested deeper than ${MAX_DEPTH}`);
    const line = this.#countedLine();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(line, depth);
    if (first === '[') return this.#array(line, depth);
    if (first === '"') return { kind: 'scalar', line, text: this.#string(), plain: false };
    const text = this.#match(WORD) ?? this.#match(NUMBER);
    if (text === undefined) throw this.#unexpected('a value');
    if (!Number.isFinite(Number(text)) && /[0-9]/.test(text)) {
      throw new ReadError('InvalidJson', line, 'the number is out of range');
    }
    return { kind: 'scalar', line, text, plain: true };
  }

  #object(line: number, depth: number): Node {
    const keys: Node[] = [];
    const values: Node[] = [];
    this.#at++;
    this.skipSpace();
    if (this.#take('}')) return { kind: 'mapping', line, keys, values };
    for (;;) {
      this.skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key in double quotes');
      keys.push({ kind: 'scalar', line: this.#countedLine(), text: this.#string(), plain: false });
      this.skipSpace();
      if (!this.#take(':')) throw this.#unexpected('a colon');
      this.skipSpace();
      values.push(this.value(depth + 1));
      this.skipSpace();
      if (this.#take('}')) return { kind: 'mapping', line, keys, values };
      if (!this.#take(',')) throw this.#unexpected('a comma or }');
    }
  }

  #array(line: number, depth: number): Node {
    const items: Node[] = [];
    this.#at++;
    this.skipSpace();
    if (this.#take(']')) return { kind: 'sequence', line, items };
    for (;;) {
      this.skipSpace();
      items.push(this.value(depth + 1));
      this.skipSpace();
      if (this.#take(']')) return { kind: 'sequence', line, items };
      if (!this.#take(',')) throw this.#unexpected('a comma or ]');
    }
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    this.#at = end + 1;
    try {
      return (JSON.parse(this.#text.slice(start, end + 1)) as string).toWellFormed();
    } catch {
      this.#at = start;
      throw new ReadError('InvalidJson', this.#lineHere(), 'the text in quotes does not end or holds a bad escape');
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #lineHere(): number {
    while (this.#nextBreak >= 0 && this.#nextBreak < this.#at) {
      this.#line++;
      this.#nextBreak = this.#text.indexOf('\n', this.#nextBreak + 1);
    }
    return this.#line;
  }

  /** The line of the value or key that starts here. */
  #countedLine(): number {
    const line = this.#lineHere();
    if (++this.#nodes > MAX_NODES) {
      throw new ReadError('FileTooLarge', line, `the file holds more than ${MAX_NODES} values`);
    }
    return line;
  }

  #unexpected(wanted: string): ReadError {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text[this.#at]) : 'the end of the file';
    return new ReadError('InvalidJson', this.#lineHere(), `expected ${wanted}, found ${found}`);
  }
}
