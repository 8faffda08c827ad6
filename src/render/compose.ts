import { load, Schema, Type, YAMLException } from 'js-yaml';
import { Composer, type ParserState } from './composer.ts';
import { MAX_DEPTH, ReadError, type Node } from './node.ts';
import { refusedCharacter, Rewrite } from './strict.ts';
import { misplacedTab } from './tabs.ts';

/** Each rewriting reads the document again: so many, and so many characters in all. */
const MAX_REWRITES = 100;
const MAX_REREAD = 16 * 1024 * 1024;

// Takes any tag and changes nothing: what a tag means is decided in scalars.ts.
const ANY_TAG = new Schema(
  (['scalar', 'sequence', 'mapping'] as const).map((kind) => new Type('', { kind, multi: true })),
);

/**
 * Reads one YAML document into a tree. js-yaml does the grammar; Composer and strict.ts make up for the places where its
 * grammar is not kubectl's.
 * @param firstLine line of the text in its file, 1-based
 * @throws ReadError
 */
export function composeYaml(text: string, firstLine: number): Node {
  let source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const refused = refusedCharacter(source);
  if (refused) throw new ReadError('InvalidYaml', firstLine + lineAt(source, refused.at), refused.reason);
  for (let reads = 0; reads <= MAX_REWRITES && reads * source.length <= MAX_REREAD; reads++) {
    const outcome = compose(source, firstLine);
    if (!(outcome instanceof Rewrite)) return outcome;
    source = source.slice(0, outcome.from) + outcome.text + source.slice(outcome.to);
  }
  throw new ReadError(
    'InvalidYaml',
    firstLine,
    'the document holds too many constructs that YAML parsers read differently',
  );
}

function compose(text: string, firstLine: number): Node | Rewrite {
  const composer = new Composer(firstLine, text.includes('\t'));
  try {
    const root = load(text, {
      schema: ANY_TAG,
      maxDepth: MAX_DEPTH,
      listener(event, state) {
        if (event === 'open') composer.open(state as unknown as ParserState);
        else composer.close(state as unknown as ParserState);
      },
    } as Parameters<typeof load>[1]);
    const tab = misplacedTab(text, composer.shelters);
    if (tab !== undefined) {
      throw new ReadError('InvalidYaml', firstLine + lineAt(text, tab), 'a tab stands where only spaces may indent');
    }
    return composer.nodeOf(root, firstLine);
  } catch (error) {
    if (error instanceof Rewrite) return error;
    if (error instanceof YAMLException) return rewriteOf(error, text) ?? fail(error, firstLine);
    throw error;
  }
}

/** kubectl takes `\'` in double quotes for a quote, js-yaml does not know it. */
function rewriteOf({ reason, mark }: YAMLException, text: string): Rewrite | undefined {
  if (reason !== 'unknown escape sequence' || text[mark.position] !== "'") return undefined;
  return new Rewrite(mark.position - 1, mark.position, '');
}

function fail({ reason, mark }: YAMLException, firstLine: number): never {
  const code = reason.startsWith('nesting exceeded') ? 'TooDeep' : 'InvalidYaml';
  // js-yaml quotes the text that it stumbled over, which may be a password that starts with an asterisk.
  throw new ReadError(code, firstLine + (mark?.line ?? 0), reason.replace(/ "[^]*"|: [^]*$/, ''));
}

function lineAt(text: string, position: number): number {
  let line = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
