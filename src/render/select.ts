import { Slice } from '../concurrency/slice.ts';
import { MANIFEST, type TreeFile } from '../git/remote.ts';
import type { RenderProblem } from './declared.ts';
import {
  alternativesOf,
  ANY_NAMES,
  BadPattern,
  Effort,
  matchesPath,
  readName,
  TooMuchEffort,
  type PathPattern,
} from './glob.ts';
import { IgnoreFile, linesOf, readRule } from './ignore-file.ts';

export interface Selection {
  /** The folder that the source watches, from the root of the repository; '' or '.' is the root. */
  path: string;
  /** Globs relative to `path`. A glob that names a folder means everything below it. Empty include: everything. */
  include: readonly string[];
  exclude: readonly string[];
  /** The content of `.plumblineignore` in `path`: gitignore syntax. In folders below it is a file like any other. */
  ignoreFile?: string;
}

export interface SelectedFiles {
  /** In byte order of their paths. */
  selected: TreeFile[];
  problems: RenderProblem[];
  /** Manifest files that exclude, include or the ignore file left out. */
  skipped: number;
}

export const IGNORE_FILE = '.plumblineignore';

const RENDERED_FOLDERS: Record<string, { code: string; what: string }> = {
  'kustomization.yaml': { code: 'KustomizeNotSupported', what: 'a kustomization' },
  'kustomization.yml': { code: 'KustomizeNotSupported', what: 'a kustomization' },
  Kustomization: { code: 'KustomizeNotSupported', what: 'a kustomization' },
  'Chart.yaml': { code: 'HelmNotSupported', what: 'a Helm chart' },
};

/**
 * Decides which files below `path` are manifests to read. What cannot be understood yet (kustomizations, charts) or cannot
 * be read (submodules, links out of the tree) is a problem, never quietly left out: its objects would be pruned. Rejects only when aborted.
 */
export async function selectFiles(
  files: readonly TreeFile[],
  selection: Selection,
  signal: AbortSignal,
): Promise<SelectedFiles> {
  const refused = (message: string) => ({ code: 'InvalidPattern', file: selection.path || '.', message });
  const patterns = readPatterns(selection);
  if (Array.isArray(patterns)) return { selected: [], problems: patterns.map(refused), skipped: 0 };
  try {
    return await select(files, selection, patterns, signal);
  } catch (error) {
    if (!(error instanceof TooMuchEffort)) throw error;
    const message =
      'the patterns take too much time with the names of the files here; write fewer, or fewer stars in them';
    return { selected: [], problems: [refused(message)], skipped: 0 };
  }
}

async function select(
  files: readonly TreeFile[],
  { path, include }: Selection,
  { isExcluded, isIncluded }: Patterns,
  signal: AbortSignal,
): Promise<SelectedFiles> {
  const prefix = folderPrefix(path);
  const slice = new Slice(signal);
  const chosen: TreeFile[] = [];
  const markers: TreeFile[] = [];
  const problems: RenderProblem[] = [];
  let skipped = 0;
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue;
    const name = file.path.slice(prefix.length);
    const isMarker = Object.hasOwn(RENDERED_FOLDERS, baseName(name));
    if (!isMarker && !file.problem && !MANIFEST.test(name)) continue;
    await slice.rest();
    if (isExcluded(name)) {
      skipped += MANIFEST.test(name) ? 1 : 0;
    } else if (file.problem) {
      problems.push({ code: file.problem.code, file: file.path, message: file.problem.message });
    } else {
      const isWanted = MANIFEST.test(name) && isIncluded(name);
      if (isMarker && (isWanted || include.length === 0)) markers.push(file);
      else if (isWanted) chosen.push(file);
      else skipped++;
    }
  }
  const folders = topFolders(markers);
  problems.push(...folders.values());
  const selected = chosen.filter((file) => !isBelow(file.path, folders));
  skipped += chosen.length - selected.length;
  return { selected: selected.sort(byPath), problems, skipped };
}

/** `path` as a prefix of file paths: '' or with one slash at the end. */
export function folderPrefix(path: string): string {
  const folder = path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
  return folder === '' || folder === '.' ? '' : `${folder}/`;
}

/** Which names below the path are left out, and which are wanted; both throw TooMuchEffort. */
interface Patterns {
  isExcluded: (name: string) => boolean;
  isIncluded: (name: string) => boolean;
}

const MAX_PATTERNS = 100;
const MAX_IGNORE_LINES = 1000;
const MAX_PATTERN_LENGTH = 256;
/** Some seconds; ten patterns and ten thousand files take a hundredth of it. */
const MAX_EFFORT = 200_000_000;

/** Everything that is wrong with the patterns is said at once. */
function readPatterns({ include, exclude, ignoreFile = '' }: Selection): Patterns | string[] {
  const lines = linesOf(ignoreFile);
  const complaints = [
    ...(include.length + exclude.length > MAX_PATTERNS ? [`more than ${MAX_PATTERNS} patterns`] : []),
    ...(lines.length > MAX_IGNORE_LINES ? [`more than ${MAX_IGNORE_LINES} lines in ${IGNORE_FILE}`] : []),
  ];
  const readAll = <T>(patterns: readonly string[], read: (pattern: string) => T): T[] =>
    patterns.flatMap((pattern) => {
      const found = readOr(pattern, read);
      if ('complaint' in found) complaints.push(found.complaint);
      return 'read' in found ? [found.read] : [];
    });
  const [includes, excludes] = [readAll(include, readGlob).flat(), readAll(exclude, readGlob).flat()];
  const ignored = new IgnoreFile(readAll(lines.slice(0, MAX_IGNORE_LINES), readRule));
  if (complaints.length > 0) return complaints;
  const effort = new Effort(MAX_EFFORT);
  const isIn = (globs: readonly PathPattern[], name: string) => {
    const names = name.split('/');
    return globs.some((glob) => matchesPath(glob, names, effort));
  };
  return {
    isExcluded: (name) => isIn(excludes, name) || ignored.leavesOut(name, effort),
    isIncluded: (name) => includes.length === 0 || isIn(includes, name),
  };
}

/** `**` stands for any folders, `{a,b}` for either; what names a folder stands for all that is in it. */
function readGlob(glob: string): PathPattern[] {
  if (/\{[^{},]*\.\.[^{},]*\}/.test(glob)) throw new BadPattern('holds a range such as {1..9}; name what is meant');
  return alternativesOf(glob.replace(/^(?:\.?\/)+/, '')).map((path) => {
    const names = path.split('/').filter((name) => name !== '');
    return [...names.map(readName), ANY_NAMES];
  });
}

/** The pattern as it was read, or what is wrong with it. */
function readOr<T>(pattern: string, read: (pattern: string) => T): { read: T } | { complaint: string } {
  const shown = JSON.stringify(pattern.slice(0, 60));
  if (pattern.length > MAX_PATTERN_LENGTH)
    return { complaint: `the pattern ${shown}… is longer than ${MAX_PATTERN_LENGTH} characters` };
  try {
    return { read: read(pattern) };
  } catch (error) {
    if (!(error instanceof BadPattern)) throw error;
    return { complaint: `the pattern ${shown} ${error.message}` };
  }
}

/** One problem for each outermost folder that another tool should render. */
function topFolders(markers: readonly TreeFile[]): Map<string, RenderProblem> {
  const folders = new Map<string, RenderProblem>();
  for (const file of markers.toSorted((a, b) => folderOf(a.path).length - folderOf(b.path).length)) {
    const folder = folderOf(file.path);
    if (folders.has(folder) || isBelow(file.path, folders)) continue;
    const { code, what } = RENDERED_FOLDERS[baseName(file.path)]!;
    const message = `the folder ${folder || '.'} is ${what}, which is not supported yet; point path at plain manifests or exclude it`;
    folders.set(folder, { code, file: file.path, message });
  }
  return folders;
}

function isBelow(path: string, folders: ReadonlyMap<string, unknown>): boolean {
  if (folders.size === 0) return false;
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    if (folders.has(folder)) return true;
    if (folder === '') return false;
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function byPath(a: TreeFile, b: TreeFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
