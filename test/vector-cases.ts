// Files of recorded cases: one JSON value for each line, or one list of them. Whatever a file holds, nothing here throws.
import { readFileSync } from 'node:fs';

/** One case of a file, or why there is none. */
export type RecordedCase = { readonly where: string } & ({ readonly value: unknown } | { readonly problem: string });

/** The cases of a file in order; what cannot be read is told in its place, and the others are still there. */
export function* casesIn(file: string): Iterable<RecordedCase> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    return yield { where: file, problem: `cannot be read: ${(error as Error).message}` };
  }
  if (text.trim() === '') return yield { where: file, problem: 'holds no case' };
  const whole = parse(text);
  if ('value' in whole && Array.isArray(whole.value)) {
    for (const [index, value] of whole.value.entries()) yield { where: `${file} [${index}]`, value };
    return;
  }
  // A list that was cut off: its lines are no cases.
  if ('problem' in whole && text.trimStart().startsWith('[')) return yield { where: file, ...whole };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() !== '') yield { where: `${file}:${index + 1}`, ...parse(line) };
  }
}

function parse(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `is not JSON: ${(error as Error).message}` };
  }
}
