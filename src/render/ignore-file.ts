import { ANY_NAME, ANY_NAMES, matchesPath, readName, readNamePattern, type Effort, type PathPattern } from './glob.ts';

/** One line of a file in the syntax of .gitignore. */
export interface Rule {
  readonly pattern: PathPattern;
  /** `!`: what an earlier line left out comes in again. */
  readonly isBack: boolean;
  readonly foldersOnly: boolean;
}

/**
 * A file in the syntax of .gitignore, read as git reads it (gitignore(5); wildmatch.c and dir.c of git): the last line that matches
 * decides, and what lies in a folder that is left out cannot be brought back. `?` and classes stand for a character where git counts bytes.
 */
export class IgnoreFile {
  readonly #rules: readonly Rule[];
  readonly #folders = new Map<string, boolean>();

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** Is this file left out? `path` from the folder in which the ignore file lies. Throws TooMuchEffort. */
  leavesOut(path: string, effort: Effort): boolean {
    const names = path.split('/');
    return this.#folderOf(names, effort) || this.#decides(names, false, effort);
  }

  /** Is the folder of this path left out? Each is looked at once. */
  #folderOf(names: readonly string[], effort: Effort): boolean {
    if (names.length < 2) return false;
    const folder = names.slice(0, -1);
    const name = folder.join('/');
    let isOut = this.#folders.get(name);
    if (isOut === undefined) {
      isOut = this.#folderOf(folder, effort) || this.#decides(folder, true, effort);
      this.#folders.set(name, isOut);
    }
    return isOut;
  }

  #decides(names: readonly string[], isFolder: boolean, effort: Effort): boolean {
    const last = this.#rules.findLast(
      ({ pattern, foldersOnly }) => (isFolder || !foldersOnly) && matchesPath(pattern, names, effort),
    );
    return last !== undefined && !last.isBack;
  }
}

/** The lines that say something. */
export function linesOf(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  return lines
    .map((line) => withoutEnd(line.endsWith('\r') ? line.slice(0, -1) : line))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Blanks at the end count only behind a backslash. */
function withoutEnd(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '\\') at += 1;
    else if (line[at] === ' ') continue;
    end = at + 1;
  }
  return line.slice(0, end);
}

/** One of `linesOf`. Throws BadPattern. */
export function readRule(line: string): Rule {
  const isBack = line.startsWith('!');
  const whole = isBack ? line.slice(1) : line;
  const foldersOnly = whole.endsWith('/');
  const text = foldersOnly ? whole.slice(0, -1) : whole;
  if (!text.includes('/')) return { pattern: [ANY_NAMES, readNamePattern(text)], isBack, foldersOnly };
  // A slash is one with a backslash before it, too.
  const plain = text.replace(/^\//, '').replaceAll(/\\(.)/g, (escape, next) => (next === '/' ? '/' : escape));
  const pattern = plain.split('/').map(readName);
  // Everything in the folder, not the folder itself.
  if (pattern.at(-1) === ANY_NAMES) pattern.splice(-1, 1, ANY_NAME, ANY_NAMES);
  return { pattern, isBack, foldersOnly };
}
