import { satisfies, valid } from 'semver';
import type { EdgeSettings } from './input.ts';
import { recordAt } from './spec.ts';

/** `matchLabels` of a selector as policies write it: the only part of it that Emissary reads. Empty: it selects everything. */
export function matchLabelsOf(selector: unknown): Readonly<Record<string, string>> {
  const labels = Object.entries(recordAt(selector, 'matchLabels'));
  return Object.fromEntries(labels.map(([name, value]) => [name, typeof value === 'string' ? value : NO_LABEL]));
}

/** What is not a text equals no label, as this does. */
const NO_LABEL = '\0';

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

const STRICT_SINCE = '>=2.4.0 <3.0.0 || >=3.2.0';

/** Emissary asks for all labels of a selector since 2.4 and 3.2, unless DISABLE_STRICT_LABEL_SELECTORS is set. */
export function selectsStrictly({ version, strictLabelSelectors }: EdgeSettings): boolean {
  return (
    strictLabelSelectors && (valid(version) === null || satisfies(version, STRICT_SINCE, { includePrerelease: true }))
  );
}
