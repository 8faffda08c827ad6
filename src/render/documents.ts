import { ReadError } from './node.ts';

/** A piece of a file that is read as one YAML document. `line` is 1-based. */
export interface Chunk {
  text: string;
  line: number;
}

/** Of one file, empty ones included. */
const MAX_DOCUMENTS = 10_000;

/**
 * Cuts a YAML file into documents as kubectl does: at each line that starts with `---`, whatever surrounds it (inside a
 * block of text too). Nothing but blanks and a comment may follow on that line. A separator before any content stays part
 * of its document; what follows a line `...` is not read.
 * @throws ReadError
 */
export function splitDocuments(file: string): Chunk[] {
  const text = file.includes('\r\n') ? file.replaceAll('\r\n', '\n') : file;
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
    const rest = text.slice(at + 3, lineEnd).trim();
    const separatorLine = advanceTo(at);
    if (rest !== '' && rest[0] !== '#') {
      throw new ReadError('InvalidYaml', separatorLine, 'only a comment may follow the document separator ---');
    }
    if (at === start) continue;
    chunks.push({ text: untilDocumentEnd(text.slice(start, at)), line: startLine });
    if (chunks.length > MAX_DOCUMENTS) {
      throw new ReadError('FileTooLarge', startLine, `the file holds more than ${MAX_DOCUMENTS} documents`);
    }
    start = Math.min(lineEnd + 1, text.length);
    startLine = separatorLine + 1;
  }
  if (start < text.length) chunks.push({ text: untilDocumentEnd(text.slice(start)), line: startLine });
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

function untilDocumentEnd(chunk: string): string {
  const end = /(?:^|[\n\r])\.\.\.(?=[ \t\r\n]|$)/.exec(chunk);
  return end ? chunk.slice(0, end.index + (end[0].length - 3)) : chunk;
}
