import { once } from '../once.ts';
import { composeYaml, rereading } from './compose.ts';
import { aliasAllowance, decode } from './decode.ts';
import { splitDocuments } from './documents.ts';
import { composeJson } from './json.ts';
import { ReadError, type MappingNode, type Node, type Value } from './node.ts';
import type { RenderProblem } from './declared.ts';

/** One document of a file; documents that are empty or null are left out. */
export interface Document {
  value: Value;
  /** 1-based, of the document's first content. */
  line: number;
  /** The line of a field, or of the nearest part of the path that exists. */
  lineOf: (path: readonly (string | number)[]) => number;
}

// How far kubectl looks for the first brace.
const JSON_LOOK_AHEAD = 4096;

/**
 * Reads a manifest file exactly as kubectl does: concatenated JSON when the first character is `{`, else YAML documents.
 * The differences are on purpose and all refusals: a key that its own mapping repeats (kubectl takes the last), text behind
 * the document's one node (kubectl drops it), line breaks that no editor shows (U+2028, U+2029), a comma or bracket in a
 * tag, JSON that turns into YAML (kubectl since 1.33 goes on, and may drop a part), more than MAX_DEPTH or MAX_NODES,
 * and more in one file than its aliases may bring (decode.ts).
 * Never throws; a file with problems must not be applied in part.
 */
export function readDocuments(content: string, file: string): { documents: Document[]; problems: RenderProblem[] } {
  const text = content.startsWith('\ufeff') ? content.slice(1) : content;
  const documents: Document[] = [];
  const problems: RenderProblem[] = [];
  const attempt = (read: () => void): void => {
    try {
      read();
    } catch (error) {
      problems.push(problemOf(error, file));
    }
  };
  const aliases = aliasAllowance();
  const add = (node: Node): void => {
    const { value, repeated } = decode(node, aliases);
    for (const { key, line } of repeated) {
      problems.push({ code: 'DuplicateKey', file, line, message: `the key ${JSON.stringify(key)} stands twice` });
    }
    if (value !== null) documents.push({ value, line: node.line, lineOf: (path) => lineOf(node, path) });
  };
  attempt(() => {
    if (isJson(text)) return composeJson(text).forEach((node) => attempt(() => add(node)));
    const allowance = rereading();
    for (const chunk of splitDocuments(text)) attempt(() => add(composeYaml(chunk.text, chunk.line, allowance)));
  });
  return { documents, problems };
}

function isJson(text: string): boolean {
  return /^(?:(?!\ufeff)[\s\u0085])*\{/.test(text.slice(0, JSON_LOOK_AHEAD));
}

function problemOf(error: unknown, file: string): RenderProblem {
  if (error instanceof ReadError) return { code: error.code, file, line: error.line, message: error.message };
  // What is left is a stack that overflowed or a text that grew too long: hostile input, not a defect of ours.
  if (error instanceof RangeError) return { code: 'TooDeep', file, message: 'the document is too deep or too large' };
  throw error;
}

function lineOf(root: Node, path: readonly (string | number)[]): number {
  let node: Node | undefined = root;
  let line = root.line;
  for (const part of path) {
    while (node?.kind === 'alias') node = node.target;
    if (node?.kind === 'mapping') {
      const index: number = lastPairs(node).get(String(part)) ?? -1;
      line = node.keys[index]?.line ?? line;
      node = node.values[index];
    } else if (node?.kind === 'sequence') {
      node = node.items[Number(part)];
      line = node?.line ?? line;
    } else {
      return line;
    }
  }
  return line;
}

/** Of each key its last pair: whoever asks for the line of one key mostly asks for those of others too. */
const lastPairs = once((node: MappingNode): ReadonlyMap<string, number> => {
  const places = new Map<string, number>();
  for (const [place, key] of node.keys.entries()) if (key.kind === 'scalar') places.set(key.text, place);
  return places;
});
