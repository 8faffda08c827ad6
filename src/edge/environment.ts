const VARIABLE = /\$(\w+|\{[^}]*\})/g;

/**
 * `$NAME` and `${NAME}` in every text of a JSON value, keys included, by the rules of Python's os.path.expandvars: a name
 * that is not set stays as it is written, what was put in is not looked at again. The value itself, where nothing changes.
 *
 * Emissary does this to its whole snapshot (fetch/fetcher.py), so a policy can read its container's environment.
 */
export function expandVariables<T>(value: T, environment: Readonly<Record<string, string>>): T {
  return Object.keys(environment).length === 0 ? value : (expanded(value, environment) as T);
}

function expanded(value: unknown, environment: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return value.includes('$') ? expandedText(value, environment) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => expanded(item, environment));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const entries = Object.entries(value);
  const after = entries.map(([key, item]) => [expandedText(key, environment), expanded(item, environment)] as const);
  const same = after.every(([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1]);
  return same ? value : Object.fromEntries(after);
}

function expandedText(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (written, name: string) => {
    const bare = name.startsWith('{') ? name.slice(1, -1) : name;
    return Object.hasOwn(environment, bare) ? (environment[bare] ?? written) : written;
  });
}
