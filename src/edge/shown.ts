import { isRecord } from './spec.ts';

/** Longer texts are cut: messages go into statuses and events. */
const MAX_SHOWN = 80;
const MAX_SENTENCE = 600;
const MAX_TEXT = 253;
/** Of a list or an object: no more items, and nothing further down. */
const MAX_ITEMS = 8;
const MAX_DEPTH = 3;

/** A value of a policy as a message may show it: like JSON, at most 80 characters, never the credentials of a URL. */
export function shown(value: unknown): string {
  return cut(sketch(value, MAX_DEPTH));
}

/** A host or a path of a policy as it stands, at most 253 characters: as long as a host name can be. */
export function shownText(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}

/** A whole sentence: a rule may have taken a text of a policy into it as it stands. */
export function shownSentence(text: string): string {
  if (text.length <= MAX_SENTENCE && !text.includes('@')) return text;
  const safe = withoutCredentials(text);
  return safe.length <= MAX_SENTENCE ? safe : `${safe.slice(0, MAX_SENTENCE - 1)}…`;
}

function sketch(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(cut(withoutCredentials(value)));
  if (Array.isArray(value)) {
    if (depth === 0) return '[…]';
    const items: unknown[] = value.slice(0, MAX_ITEMS);
    return `[${items.map((item) => sketch(item, depth - 1)).join(', ')}]`;
  }
  if (isRecord(value)) {
    if (depth === 0) return '{…}';
    const entries = Object.entries(value).slice(0, MAX_ITEMS);
    return `{${entries.map(([name, item]) => `${sketch(name, 0)}: ${sketch(item, depth - 1)}`).join(', ')}}`;
  }
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return value === null ? 'null' : 'nothing';
}

/** What stands before an `@`, as far back as one word goes. Not by a regular expression: on long words they are slow. */
function withoutCredentials(text: string): string {
  const parts = text.split('@');
  const last = parts.pop() ?? '';
  return parts.map((part) => `${part.slice(0, wordStart(part))}***@`).join('') + last;
}

function wordStart(text: string): number {
  return Math.max(text.lastIndexOf('/'), text.lastIndexOf(' '), text.lastIndexOf('"')) + 1;
}

function cut(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN - 1)}…`;
}
