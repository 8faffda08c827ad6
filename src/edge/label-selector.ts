const KEY = String.raw`(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?`;
const VALUE = String.raw`[A-Za-z0-9._-]*`;
const REQUIREMENT = String.raw`\s*(!\s*${KEY}|${KEY}(\s*(=|==|!=)\s*${VALUE}|\s+(in|notin)\s*\(\s*${VALUE}(\s*,\s*${VALUE})*\s*\))?)\s*`;

/** A selector as `kubectl -l` takes it, without the comparisons of numbers. Means the same to JavaScript and RE2. */
export const LABEL_SELECTOR = new RegExp(`^${REQUIREMENT}(,${REQUIREMENT})*$`);

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const remembered = new Map<string, readonly Requirement[]>();

/** Do the labels fit the selector (apimachinery, labels/selector.go)? One that is malformed selects nothing. */
export function selects(selector: string, labels: Labels): boolean {
  let requirements = remembered.get(selector);
  if (!requirements) remembered.set(selector, (requirements = requirementsOf(selector)));
  return requirements.every((holds) => holds(labels));
}

function requirementsOf(selector: string): readonly Requirement[] {
  if (selector.trim() === '') return [];
  if (!LABEL_SELECTOR.test(selector)) return [() => false];
  // Of the commas only those outside of brackets part requirements.
  return selector.split(/,(?![^(]*\))/).map((text) => requirementOf(text.trim()));
}

function requirementOf(text: string): Requirement {
  const absent = /^!\s*(\S+)$/.exec(text);
  if (absent) return (labels) => !Object.hasOwn(labels, absent[1]!);
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(text);
  const comparison = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  const [, key, operator, list] = set ?? comparison ?? [];
  if (key === undefined || list === undefined) return (labels) => Object.hasOwn(labels, text);
  const values = new Set(set ? list.split(',').map((value) => value.trim()) : [list]);
  // A label that is not there is not equal, and in no list.
  const has = (labels: Labels) => Object.hasOwn(labels, key) && values.has(labels[key]!);
  return operator === '!=' || operator === 'notin' ? (labels) => !has(labels) : has;
}
