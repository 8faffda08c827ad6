import { printable } from './terminal.ts';

/** Text inside a paragraph or a table cell: whatever a repository holds shows as it is written. */
export function escaped(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]<>#|~@!&]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A code span that may hold backticks and stand in a table; nothing for nothing. */
export function code(text: string): string {
  if (text === '') return '';
  const line = oneLine(text).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${line}${fence}` : `${fence} ${line} ${fence}`;
}

/** A table; the cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

/** Folded away until somebody wants it; `content` is Markdown. */
export function folded(summary: string, content: string): string {
  return `<details><summary>${summary}</summary>\n\n${content}\n</details>\n`;
}

/** GitHub refuses comments of more than 65,536 characters. */
const MAX_COMMENT = 65_000;

/** What a comment takes, to the end of a line; that the rest is missing is said. */
export function fitted(text: string): string {
  if (text.length <= MAX_COMMENT) return text;
  const kept = text.slice(0, text.lastIndexOf('\n', MAX_COMMENT) + 1);
  const isFolded = kept.lastIndexOf('<details>') > kept.lastIndexOf('</details>');
  return `${kept}\n…the rest is left out: a comment takes no more.\n${isFolded ? '\n</details>\n' : ''}`;
}

/** Markdown is read in the log of a build too. */
function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' ').trim());
}
