import { MAX_NODES, ReadError, type Node } from './node.ts';
import {
  blockColumn,
  checkAnchor,
  checkBlockIndent,
  checkEnd,
  checkKeyLength,
  checkMappingStart,
  checkPlainInFlow,
  checkQuoted,
  checkTag,
  contentAt,
  emptyEntryRewrite,
  emptyValueRewrite,
  lostPropertiesRewrite,
  type Range,
} from './strict.ts';
import type { Shelter } from './tabs.ts';

/** The part of js-yaml's parser state that its listener may see; the published types leave out most of it. */
export interface ParserState {
  /** With a NUL at its end. */
  input: string;
  position: number;
  line: number;
  kind: 'scalar' | 'sequence' | 'mapping' | null;
  tag: string | null;
  anchor: string | null;
  /** Text of a scalar; numbers of composed nodes in a collection; a number where a node was already composed. */
  result: unknown;
  anchorMap: Record<string, unknown>;
}

interface Place extends Range {
  line: number;
  /** Only in a document with tabs: where the content starts, and the least column of unquoted text that goes on. */
  content: number;
  indent: number;
  /** Of a block collection, once something stands in it. */
  column?: number;
  /** Where its content starts, once somebody has looked: comments of any length may lie before. */
  start?: number;
}

const MERGE_TAG = 'tag:yaml.org,2002:merge';

/**
 * Builds our tree while js-yaml reads. js-yaml's own objects lose what kubectl's reading depends on (order of keys and
 * merges, repeated keys, the type of a key). So each node is swapped for its number as soon as it is complete: js-yaml then
 * builds objects of numbers, whose keys are all different and stand in the file's order.
 */
export class Composer {
  /** Filled only if the document holds a tab. */
  readonly shelters: Shelter[] = [];
  readonly #hasTabs: boolean;
  readonly #firstLine: number;
  readonly #nodes: Node[] = [];
  /** Of each node, by number; `from` may lie before blanks and properties. */
  readonly #places: Place[] = [];
  readonly #open: Place[] = [];
  /** Of two anchors of one name the one that stands later counts, even inside the node of the other. */
  readonly #anchors = new Map<string, { at: number; result: unknown }>();

  constructor(firstLine: number, hasTabs: boolean) {
    this.#firstLine = firstLine;
    this.#hasTabs = hasTabs;
  }

  open({ input, position, line }: ParserState): void {
    const content = this.#hasTabs ? contentAt(input, position) : position;
    const indent = this.#hasTabs ? this.#indentIn(input, content) : 0;
    this.#open.push({ from: position, to: position, line: this.#firstLine + line, content, indent });
  }

  /** One more than the column of the innermost block mapping or sequence around a place. */
  #indentIn(input: string, content: number): number {
    const around = this.#open.at(-1);
    if (around === undefined) return 0;
    const isBlock = around.content !== content && !'[{'.includes(input[around.content]!);
    return isBlock ? (around.column ??= blockColumn(input, around.content)) + 1 : around.indent;
  }

  close(state: ParserState): void {
    const place = this.#open.pop()!;
    place.to = state.position;
    const { kind, result, anchor, tag } = state;
    const anchorAt = anchor === null ? -1 : checkAnchor(state.input, anchor, place, place.line);
    if (tag !== null) checkTag(tag, place.line);
    // js-yaml takes a node in block position for a mapping first; when it is none, the node comes up a second time, numbered.
    const isAgain = typeof result === 'number' && (kind !== null || this.#nodes[result]?.kind === 'alias');
    if (isAgain) this.#addProperties(this.#nodes[result]!, state, place.line);
    else state.result = this.#add(this.#compose(state, place), place);
    if (anchor !== null) {
      const known = this.#anchors.get(anchor);
      if (known === undefined || known.at <= anchorAt)
        this.#anchors.set(anchor, { at: anchorAt, result: state.result });
      state.anchorMap[anchor] = this.#anchors.get(anchor)!.result;
    }
    // Else js-yaml would merge by itself.
    if (tag === MERGE_TAG) state.tag = '?';
  }

  /** The node of a number; a lone pair in a flow sequence is a mapping that has none; nothing at all is an empty scalar. */
  nodeOf(result: unknown, line: number): Node {
    if (typeof result === 'number') return this.#nodes[result]!;
    if (typeof result === 'object' && result !== null) return this.#mapping(result as Record<string, unknown>, line);
    return scalar('', '?', line);
  }

  #add(node: Node, place: Place): number {
    if (this.#nodes.length >= MAX_NODES) {
      throw new ReadError('FileTooLarge', place.line, `the document holds more than ${MAX_NODES} values`);
    }
    this.#places.push(place);
    return this.#nodes.push(node) - 1;
  }

  #compose(state: ParserState, place: Place): Node {
    const { kind, result, tag, anchor } = state;
    const { line } = place;
    if (kind === 'scalar') return this.#scalar(state, place);
    const isFlow = kind !== null && isFlowIn(state.input, place);
    if (isFlow) {
      this.#shelter(place);
      if (!this.#isInFlow(state.input, place)) checkEnd(state.input, place, line);
    }
    if (kind === 'mapping') {
      const mapping = this.#mapping(result as Record<string, unknown>, line, state.input);
      if (!isFlow) checkMappingStart(state.input, place, mapping.line === line, line);
      return mapping;
    }
    if (kind === 'sequence') return this.#sequence(result as (number | null)[], place, state.input);
    if (result === null) {
      if (tag !== null && anchor !== null) this.#checkEmptyValue(state.input, place);
      return scalar('', tag ?? '?', line);
    }
    if (tag !== null || anchor !== null) throw new ReadError('InvalidYaml', line, 'an alias has no tag and no anchor');
    if (typeof result !== 'number') throw new ReadError('InvalidYaml', line, 'an anchor contains itself');
    return { kind: 'alias', line, target: this.#nodes[result]! };
  }

  #scalar({ input, result, tag, anchor }: ParserState, place: Place): Node {
    const text = result as string;
    const first = tag === '?' ? undefined : input[startIn(input, place)]!;
    const isQuoted = first === '"' || first === "'";
    const isBlock = first === '|' || first === '>';
    const isUnquoted = !isQuoted && !isBlock;
    this.#shelter(place, isUnquoted ? place.indent : undefined);
    if (isUnquoted) checkPlainInFlow(text, input, place, () => this.#isInFlow(input, place), place.line);
    if (isQuoted) {
      checkQuoted(input, place, place.line);
      if (!this.#isInFlow(input, place)) checkEnd(input, place, place.line);
    }
    if (isBlock) {
      const rewrite = tag === null && anchor === null ? lostPropertiesRewrite(input, place.from) : undefined;
      if (rewrite) throw rewrite;
      if (this.#hasTabs) checkBlockIndent(input, place, place.line);
    }
    return scalar(text, tag, place.line);
  }

  #isInFlow(input: string, place: Place): boolean {
    // What starts where the node itself does is the same node, tried as the first key of a mapping.
    const around = this.#open.findLast((open) => startIn(input, open) !== startIn(input, place));
    return around !== undefined && isFlowIn(input, around);
  }

  #checkEmptyValue(input: string, { from }: Place): void {
    const around = this.#open.at(-1);
    if (around === undefined || isFlowIn(input, around)) return;
    const rewrite = emptyValueRewrite(input, from, around.from);
    if (rewrite) throw rewrite;
  }

  #shelter({ content, to }: Place, plainIndent?: number): void {
    if (this.#hasTabs) this.shelters.push({ from: content, to, plainIndent });
  }

  #sequence(result: (number | null)[], place: Place, input: string): Node {
    if (result.includes(null)) {
      const rewrite = emptyEntryRewrite(
        input,
        result.map((id) => (typeof id === 'number' ? this.#places[id]!.from : id)),
        place.to,
      );
      if (rewrite) throw rewrite;
    }
    return { kind: 'sequence', line: place.line, items: result.map((item) => this.nodeOf(item, place.line)) };
  }

  #mapping(result: Record<string, unknown>, line: number, input?: string): Node {
    const keys: Node[] = [];
    const values: Node[] = [];
    for (const text of Object.keys(result)) {
      // A key that is nothing at all (`? ` alone) comes as the text "null".
      const id = text === 'null' ? null : Number(text);
      const key = this.nodeOf(id, line);
      if (id !== null && input !== undefined) checkKeyLength(input, this.#places[id]!, key.line);
      keys.push(key);
      values.push(this.nodeOf(result[text], key.line));
    }
    return { kind: 'mapping', line: keys[0]?.line ?? line, keys, values };
  }

  #addProperties(node: Node, { tag, anchor }: ParserState, line: number): void {
    if (tag === null && anchor === null) return;
    if (node.kind === 'alias') throw new ReadError('InvalidYaml', line, 'an alias has no tag and no anchor');
    if (tag === null || node.kind !== 'scalar') return;
    if (node.tag !== undefined) throw new ReadError('InvalidYaml', line, 'a value has two tags');
    node.tag = tag;
    node.plain = false;
  }
}

function startIn(input: string, place: Place): number {
  return (place.start ??= contentAt(input, place.from));
}

function isFlowIn(input: string, place: Place): boolean {
  return '[{'.includes(input[startIn(input, place)]!);
}

/** js-yaml says `?` for unquoted text, nothing for quoted and block text. */
function scalar(text: string, tag: string | null, line: number): Node {
  if (tag === null) return { kind: 'scalar', line, text, plain: false };
  return tag === '?' ? { kind: 'scalar', line, text, plain: true } : { kind: 'scalar', line, text, plain: false, tag };
}
