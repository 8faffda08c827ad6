/** `1 route`, `2 routes`; `many` where the plural is no mere s. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
