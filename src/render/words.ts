/** More than there are kinds and sources in a large cluster. */
const WORDS_KEPT = 10_000;
/** No name of a kind, group, namespace or source is longer. */
const LONGEST_WORD = 256;
const words = new Map<string, string>();

/** The same copy each time, for words that thousands of objects have in common. */
export function shared(text: string): string {
  const known = words.get(text);
  if (known !== undefined) return known;
  if (text.length > LONGEST_WORD) return detached(text);
  if (words.size >= WORDS_KEPT) words.clear();
  const word = detached(text);
  words.set(word, word);
  return word;
}

/** A copy that does not keep the whole file's text alive, as a slice of it would. */
export function detached(text: string): string {
  return Buffer.from(text).toString();
}
