/** One figure, or the distribution of one. */
export interface Row {
  bench: string;
  metric: string;
  /** How many samples, rounds or objects stand behind it. */
  n: number;
  /** One figure; a distribution has p50, p95 and max instead. */
  value?: number;
  p50?: number;
  p95?: number;
  max?: number;
  unit: string;
  /** What a bare loop without Plumbline reaches on the same machine in the same minute, in the same unit. */
  limit?: number;
  /** value / limit, of a distribution p50 / limit. */
  ratio?: number;
}

const COLUMNS = ['bench', 'metric', 'n', 'value', 'p50', 'p95', 'max', 'unit', 'limit', 'ratio'] as const;
const WORDS: ReadonlySet<string> = new Set(['bench', 'metric', 'unit']);

/** A figure beside its limit. */
export function figure(bench: string, metric: string, n: number, value: number, unit: string, limit?: number): Row {
  return { bench, metric, n, value: rounded(value), unit, ...beside(value, limit) };
}

/** p50, p95 and max of samples; the limit is a median too. */
export function distribution(
  bench: string,
  metric: string,
  samples: readonly number[],
  unit: string,
  limit?: number,
): Row {
  const [p50, p95, max] = [0.5, 0.95, 1].map((part) => percentile(samples, part)) as [number, number, number];
  const shown = { p50: rounded(p50), p95: rounded(p95), max: rounded(max) };
  return { bench, metric, n: samples.length, ...shown, unit, ...beside(p50, limit) };
}

/** Nearest rank; NaN without samples. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** The rows as people read them: figures right, words left. */
export function table(rows: readonly Row[]): string {
  const cells = [[...COLUMNS], ...rows.map((row) => COLUMNS.map((column) => String(row[column] ?? '')))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const pad = (cell: string, column: number) =>
    WORDS.has(COLUMNS[column]!) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return cells.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

function beside(value: number, limit: number | undefined): Pick<Row, 'limit' | 'ratio'> {
  if (limit === undefined) return {};
  return { limit: rounded(limit), ...(limit > 0 && { ratio: Math.round((value / limit) * 100) / 100 }) };
}

/** Three digits are more than a shared machine can repeat. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(value >= 1000 ? 4 : 3));
}
