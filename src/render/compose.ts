import { load, Schema, Type, YAMLException } from 'js-yaml';
import { Composer, type ParserState } from './composer.ts';
import { MAX_DEPTH, ReadError, type Node } from './node.ts';
import { refusedCharacter, Rewrite } from './strict.ts';
import { misplacedTab } from './tabs.ts';

/** Each rewriting reads the document again: so often, and so many characters of one file. */
const MAX_REWRITES = 100;
const MAX_REREAD = 8 * 1024 * 1024;

/** The characters of one file that may still be read again. */
export interface Rereading {
  left: number;
}

export function rereading(): Rereading {
  return { left: MAX_REREAD };
}

// Takes any tag and changes nothing: what a tag means is decided in scalars.ts.
const ANY_TAG = new Schema(
  (['scalar', 'sequence', 'mapping'] as const).map((kind) => new Type('', { kind, multi: true })),
);

/**
 * Reads one YAML document into a tree. js-yaml does the grammar; Composer and strict.ts make up for the places where its
 * grammar is not kubectl's.
 * @param text with `\n` as its only line break
 * @param firstLine line of the text in its file, 1-based
 * @param allowance shared by the documents of one file
 * @throws ReadError
 */
export function composeYaml(text: string, firstLine: number, allowance = rereading()): Node {
  let source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const refused = refusedCharacter(source);
  if (refused) throw new ReadError('InvalidYaml', firstLine + lineAt(source, refused.at), refused.reason);
  for (let rewrites = 1; ; rewrites++) {
    const outcome = compose(source, firstLine);
    if (!(outcome instanceof Rewrite)) return outcome;
    allowance.left -= source.length;
    if (rewrites > MAX_REWRITES || allowance.left < 0) {
      const reason = 'the file holds too many constructs that YAML parsers read differently';
      throw new ReadError('InvalidYaml', firstLine, reason);
    }
    source = source.slice(0, outcome.from) + outcome.text + source.slice(outcome.to);
  }
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

/** Wider than any indentation that a manifest has. */
const WIDE = 200;

/**
 * What js-yaml refuses and kubectl takes: `\'` in double quotes, `|#`, an alias as a key without a blank (`*a: b`), a
 * dash alone in brackets (`[cat, -]`), unquoted text in brackets that goes on further left than the brackets stand, a `|`
 * below its key.
 */
function rewriteOf({ reason, mark }: YAMLException, text: string): Rewrite | undefined {
  const at = mark?.position ?? 0;
  if (reason === 'unknown escape sequence' && text[at] === "'") return new Rewrite(at - 1, at, '');
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const lead = text.slice(lineStart, at);
  // Not behind an anchor, whose name may end elsewhere than js-yaml thought.
  if (reason === 'a line break is expected' && text[at] === '#' && !/&[\w-]*[^\w\s-]/.test(lead)) {
    return new Rewrite(at, at, ' ');
  }
  if (reason.startsWith('unidentified alias') && /[\w-]:$/.test(text.slice(at - 2, at))) {
    return new Rewrite(at - 1, at - 1, ' ');
  }
  if (reason.startsWith('missed comma') && isLoneDash(text, at)) return new Rewrite(at, at + 1, "'-'");
  if (reason.startsWith('missed comma') && lead.length < WIDE && /^ *$/.test(lead)) {
    return new Rewrite(lineStart, lineStart, ' '.repeat(WIDE));
  }
  if (/[|>]/.test(text[at] ?? '') && /^ *$/.test(lead) && keyColumnBefore(text, lineStart) === lead.length) {
    return new Rewrite(at, at, ' ');
  }
  return undefined;
}

/** A line that ends with a key, but for anchor, tag and comment. */
const KEY_LAST = /^( *(?:[-?] +)*).*:(?:[ \t]+[&!]\S*)*[ \t]*$/;

function keyColumnBefore(text: string, lineStart: number): number | undefined {
  const line = text.slice(text.lastIndexOf('\n', lineStart - 2) + 1, lineStart - 1);
  if (line.length > WIDE) return undefined;
  return KEY_LAST.exec(line.replace(/(?:^|[ \t])#.*$/, ''))?.[1]!.length;
}

/** A dash that is a value or a key in brackets, as in `[cat, -]`: nothing but anchor and tag before it, no blank behind it. */
function isLoneDash(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - WIDE), at).replace(/(?<=[\s[{,])#.*/g, '');
  return /^-[,[\]{}]/.test(text.slice(at, at + 2)) && /[[{,:]\s*(?:[&!]\S*\s+)*$/.test(before);
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
