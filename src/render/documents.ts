import { ReadError } from './node.ts';

/** A piece of a file that is read as one YAML document. `line` is 1-based. */
export interface Chunk {
  text: string;
  line: number;
}

/** Blanks are those of Go: without the byte order mark, with NEL. */
const BLANK_OR_COMMENT = /^(?:(?!\ufeff)[\s\u0085])*(?:#|$)/;

/** What a separator needs behind it to be one for YAML too, where it stays part of a document. */
const BLANK_FIRST = /^(?:$|[ \t\r\u0085])/;

/** What else ends a line for YAML 1.1, though not for the cut above. */
const OTHER_BREAK = /\r\n?|\u0085/g;
/** A line that ends a document, or may: a separator that the cut above did not find. */
const MARKER = /(?<![^\n])\.\.\.(?![^ \t\n])|(?<=\n)---(?![^ \t\n])/g;
/** What js-yaml takes for a separator although it is text. */
const LEADING_WORD = /^(?:[ \t]*(?:#.*)?\n)*---[^ \t\n]/;
/** A line that is no comment and no directive. */
const STARTED = /(?<![^\n])(?!%)[ \t]*[^ \t\n#]/;

/** Of one file, empty ones included. */
const MAX_DOCUMENTS = 10_000;

/**
 * Cuts a YAML file into documents as kubectl does: at each line that starts with `---`, whatever surrounds it (inside a
 * block of text too). Nothing but blanks and a comment may follow on that line. A separator before any content stays part
 * of its document; what follows a line `...` is not read, nor what follows a separator behind a carriage return or NEL.
 * @throws ReadError
 */
export function splitDocuments(file: string): Chunk[] {
  // The last line is ended as kubectl does: behind another kind of line break that makes one more line.
  const text = `${file.replaceAll('\r\n', '\n')}${file.endsWith('\n') ? '' : '\n'}`;
  const chunks: Chunk[] = [];
  let start = 0;
  let startLine = 1;
  let line = 1;
  let counted = 0;
  const advanceTo = (position: number): number => {
    for (let at = text.indexOf('\n', counted); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line++;
    counted = position;
    return line;
  };
  for (let at = nextSeparator(text, 0); at >= 0; at = nextSeparator(text, at + 3)) {
    const lineEnd = endOfLine(text, at);
    const rest = text.slice(at + 3, lineEnd);
    const separatorLine = advanceTo(at);
    if (!BLANK_OR_COMMENT.test(rest)) {
      throw new ReadError('InvalidYaml', separatorLine, 'only a comment may follow the document separator ---');
    }
    if (at === start) {
      if (!BLANK_FIRST.test(rest)) {
        throw new ReadError('InvalidYaml', separatorLine, 'a space must stand between a leading --- and its comment');
      }
      continue;
    }
    chunks.push({ text: firstDocument(text.slice(start, at), startLine), line: startLine });
    if (chunks.length > MAX_DOCUMENTS) {
      throw new ReadError('FileTooLarge', startLine, `the file holds more than ${MAX_DOCUMENTS} documents`);
    }
    start = Math.min(lineEnd + 1, text.length);
    startLine = separatorLine + 1;
  }
  if (start < text.length) chunks.push({ text: firstDocument(text.slice(start), startLine), line: startLine });
  return chunks;
}

function nextSeparator(text: string, from: number): number {
  if (from === 0 && text.startsWith('---')) return 0;
  const at = text.indexOf('\n---', from === 0 ? 0 : from - 1);
  return at < 0 ? -1 : at + 1;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function firstDocument(piece: string, line: number): string {
  const chunk = piece.replace(OTHER_BREAK, '\n');
  // Where nothing was replaced the cut above has found every separator.
  if (!chunk.includes('...') && chunk === piece) return chunk;
  if (LEADING_WORD.test(chunk)) {
    throw new ReadError('InvalidYaml', line, 'a space must stand behind a leading ---');
  }
  for (const { index } of chunk.matchAll(MARKER)) {
    const before = chunk.slice(0, index);
    if (STARTED.test(before)) return before;
    if (chunk[index] === '.') {
      throw new ReadError('InvalidYaml', line, 'the end of a document (...) stands before any document');
    }
  }
  return chunk;
}
