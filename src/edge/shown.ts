/** Longer texts are cut: messages go into statuses and events. */
const MAX_SHOWN = 80;

/** A value of a policy as a message may show it: as JSON, at most 80 characters, never the credentials of a URL. */
export function shown(value: unknown): string {
  const text =
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? 'nothing';
  const safe = text.replace(/[^\s/"@]+@/g, '***@');
  return safe.length <= MAX_SHOWN ? safe : `${safe.slice(0, MAX_SHOWN - 1)}…`;
}
