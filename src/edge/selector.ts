import { recordAt } from './spec.ts';

/** `matchLabels` of a selector as policies write it: the only part of it that Emissary reads. Empty: it selects everything. */
export function matchLabelsOf(selector: unknown): Readonly<Record<string, string>> {
  return recordAt(selector, 'matchLabels') as Readonly<Record<string, string>>;
}

/** `strict`: all labels of the selector are asked for; otherwise any of them is enough (upstream: ir/irutils.py, selector_matches). */
export function labelsMatch(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  strict: boolean,
): boolean {
  const wanted = Object.entries(selector);
  if (wanted.length === 0) return true;
  const has = ([name, value]: [string, string]): boolean => Object.hasOwn(labels, name) && labels[name] === value;
  return strict ? wanted.every(has) : wanted.some(has);
}
