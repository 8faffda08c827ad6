import { stripVTControlCharacters, styleText } from 'node:util';

/** What the demo prints with. Colour and repainting only where a person looks: on a terminal, without NO_COLOR. */
export interface Terminal {
  readonly live: boolean;
  title(text: string): void;
  /** `  ✓ what  detail …… 12 ms` */
  done(what: string, detail: string, ms?: number): void;
  failed(what: string): void;
  note(text: string): void;
  line(text?: string): void;
  /** Replaces what the last repaint drew; without a terminal it just prints. */
  repaint(lines: readonly string[]): void;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export function createTerminal(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Terminal {
  const live = stream.isTTY && environment.TERM !== 'dumb';
  const coloured = live && !environment.NO_COLOR;
  const style =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      coloured ? styleText(format, text, { validateStream: false }) : text;
  const [bold, dim, good, bad] = [style('bold'), style('dim'), style('green'), style('red')];
  const line = (text = ''): void => void stream.write(`${text}\n`);
  let drawn = 0;
  return {
    live,
    bold,
    dim,
    good,
    bad,
    line,
    title: (text) => line(`\n${bold(text)}`),
    done: (what, detail, ms) =>
      line(`  ${good('✓')} ${what.padEnd(14)} ${detail}${ms === undefined ? '' : dim(`  ${duration(ms)}`)}`),
    failed: (what) => line(`  ${bad('✗')} ${what}`),
    note: (text) => line(`    ${dim(text)}`),
    repaint: (lines) => {
      if (live && drawn > 0) stream.write(`\u001b[${drawn}A\u001b[0J`);
      for (const text of lines) line(live ? cut(text, stream.columns || 80) : text);
      drawn = lines.length;
    },
  };
}

/** A wrapped line would break the count of lines that the next repaint takes back. */
function cut(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= columns ? text : `${plain.slice(0, Math.max(0, columns - 1))}…`;
}

/** For people: `3.4 ms`, `812 ms`, `2.9 s`, `1 min 12 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Math.max(0, ms).toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Columns as wide as their longest cell; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
