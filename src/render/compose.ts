import { load, Schema, Type, YAMLException } from 'js-yaml';
import { MAX_DEPTH, ReadError, type Node } from './node.ts';

/** The part of js-yaml's parser state that its listener may see; the published types leave out most of it. */
interface ParserState {
  line: number;
  kind: 'scalar' | 'sequence' | 'mapping' | null;
  tag: string | null;
  anchor: string | null;
  /** Text of a scalar; ids of composed nodes in a collection; an id where a node was already composed. */
  result: unknown;
  anchorMap: Record<string, unknown>;
}

const MERGE_TAG = 'tag:yaml.org,2002:merge';

// Takes any tag and changes nothing: what a tag means is decided in scalars.ts.
const ANY_TAG = new Schema(
  (['scalar', 'sequence', 'mapping'] as const).map((kind) => new Type('', { kind, multi: true })),
);

/**
 * Reads one YAML document into a tree, with js-yaml doing the grammar. js-yaml's own objects lose what kubectl's reading
 * depends on (order of keys and merges, repeated keys, the type of a key). So each node is swapped for its number as soon
 * as it is complete: js-yaml then builds objects of numbers, whose keys are all different and stand in the file's order.
 * @param firstLine line of the text in its file, 1-based
 * @throws ReadError
 */
export function composeYaml(text: string, firstLine: number): Node {
  const composer = new Composer(firstLine);
  try {
    const root = load(text, {
      schema: ANY_TAG,
      maxDepth: MAX_DEPTH,
      listener(event, state) {
        if (event === 'open') composer.open(state.line);
        else composer.close(state as unknown as ParserState);
      },
    } as Parameters<typeof load>[1]);
    return composer.nodeOf(root, firstLine);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = firstLine + (error.mark?.line ?? 0);
    const code = error.reason.startsWith('nesting exceeded') ? 'TooDeep' : 'InvalidYaml';
    throw new ReadError(code, line, error.reason);
  }
}

class Composer {
  readonly #firstLine: number;
  readonly #nodes: Node[] = [];
  readonly #openLines: number[] = [];

  constructor(firstLine: number) {
    this.#firstLine = firstLine;
  }

  open(line: number): void {
    this.#openLines.push(line);
  }

  close(state: ParserState): void {
    const line = this.#firstLine + (this.#openLines.pop() ?? 0);
    const { kind, result } = state;
    // js-yaml takes a node in block position for a mapping first; when it is none, the node comes up a second time, numbered.
    const isAgain = typeof result === 'number' && (kind !== null || this.#nodes[result]?.kind === 'alias');
    if (isAgain) this.#addProperties(this.#nodes[result] as Node, state, line);
    else state.result = this.#nodes.push(this.#compose(state, line)) - 1;
    if (state.anchor !== null) state.anchorMap[state.anchor] = state.result;
    // Else js-yaml would merge by itself.
    if (state.tag === MERGE_TAG) state.tag = '?';
  }

  #compose({ kind, result, tag, anchor }: ParserState, line: number): Node {
    if (kind === 'mapping') return this.#mapping(result as Record<string, unknown>, line);
    if (kind === 'sequence') {
      return { kind: 'sequence', line, items: (result as unknown[]).map((item) => this.nodeOf(item, line)) };
    }
    if (kind === 'scalar') return scalar(result as string, tag, line);
    if (result === null) return scalar('', tag ?? '?', line);
    if (tag !== null || anchor !== null) throw new ReadError('InvalidYaml', line, 'an alias has no tag and no anchor');
    if (typeof result !== 'number') throw new ReadError('InvalidYaml', line, 'an anchor contains itself');
    return { kind: 'alias', line, target: this.#nodes[result] as Node };
  }

  #mapping(result: Record<string, unknown>, line: number): Node {
    const keys: Node[] = [];
    const values: Node[] = [];
    for (const id of Object.keys(result)) {
      const key = this.nodeOf(Number(id), line);
      keys.push(key);
      values.push(this.nodeOf(result[id], key.line));
    }
    return { kind: 'mapping', line: keys[0]?.line ?? line, keys, values };
  }

  /** The node of a number; a lone pair in a flow sequence is a mapping that has none; nothing at all is an empty scalar. */
  nodeOf(result: unknown, line: number): Node {
    if (typeof result === 'number') return this.#nodes[result] as Node;
    if (typeof result === 'object' && result !== null) return this.#mapping(result as Record<string, unknown>, line);
    return scalar('', '?', line);
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

/** js-yaml says `?` for unquoted text, nothing for quoted and block text. */
function scalar(text: string, tag: string | null, line: number): Node {
  if (tag === null) return { kind: 'scalar', line, text, plain: false };
  return tag === '?' ? { kind: 'scalar', line, text, plain: true } : { kind: 'scalar', line, text, plain: false, tag };
}
