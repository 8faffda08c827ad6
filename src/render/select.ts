import ignore from 'ignore';
import picomatch from 'picomatch';
import { MANIFEST, type TreeFile } from '../git/remote.ts';
import type { RenderProblem } from './declared.ts';

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
 * be read (submodules, links out of the tree) is a problem, never quietly left out: its objects would be pruned.
 */
export function selectFiles(files: readonly TreeFile[], selection: Selection): SelectedFiles {
  const problems = patternProblems(selection);
  if (problems.length > 0) return { selected: [], problems, skipped: 0 };

  const prefix = folderPrefix(selection.path);
  const isExcluded = exclusion(selection);
  const isIncluded = selection.include.length === 0 ? () => true : globs(selection.include);
  const chosen: TreeFile[] = [];
  const markers: TreeFile[] = [];
  let skipped = 0;
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue;
    const name = file.path.slice(prefix.length);
    const isMarker = Object.hasOwn(RENDERED_FOLDERS, baseName(name));
    if (!isMarker && !file.problem && !MANIFEST.test(name)) continue;
    if (isExcluded(name)) {
      skipped += MANIFEST.test(name) ? 1 : 0;
    } else if (file.problem) {
      problems.push({ code: file.problem.code, file: file.path, message: file.problem.message });
    } else {
      const isWanted = MANIFEST.test(name) && isIncluded(name);
      if (isMarker && (isWanted || selection.include.length === 0)) markers.push(file);
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

function exclusion({ exclude, ignoreFile }: Selection): (name: string) => boolean {
  const isExcluded = exclude.length === 0 ? () => false : globs(exclude);
  if (!ignoreFile) return isExcluded;
  const ignored = ignore({ allowRelativePaths: true }).add(ignoreFile);
  return (name) => isExcluded(name) || ignored.ignores(name);
}

function globs(patterns: readonly string[]): (name: string) => boolean {
  const plain = patterns.map(globText);
  // Without extended globs, groups and quantifiers a pattern cannot hold a regular expression of its author's making.
  return picomatch([...plain, ...plain.map((pattern) => `${pattern}/**`)], {
    dot: true,
    nonegate: true,
    noextglob: true,
    windows: false,
  });
}

function globText(pattern: string): string {
  return pattern
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/[()+|^$]/g, '\\$&');
}

const MAX_PATTERNS = 100;
const MAX_IGNORE_LINES = 1000;
const MAX_PATTERN_LENGTH = 256;

/** Globs become regular expressions, and each star multiplies the work on a hostile file name: so they are few. */
function patternProblems({ path, include, exclude, ignoreFile = '' }: Selection): RenderProblem[] {
  const folder = path || '.';
  const lines = ignoreFile.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const complaints = [
    ...(include.length + exclude.length > MAX_PATTERNS ? [`more than ${MAX_PATTERNS} patterns`] : []),
    ...(lines.length > MAX_IGNORE_LINES ? [`more than ${MAX_IGNORE_LINES} lines in ${IGNORE_FILE}`] : []),
    ...[...include, ...exclude, ...lines.slice(0, MAX_IGNORE_LINES)].flatMap((pattern) => complaintsAbout(pattern)),
  ];
  return complaints.map((complaint) => ({ code: 'InvalidPattern', file: folder, message: complaint }));
}

function complaintsAbout(pattern: string): string[] {
  const shown = JSON.stringify(pattern.slice(0, 60));
  if (pattern.length > MAX_PATTERN_LENGTH)
    return [`the pattern ${shown}… is longer than ${MAX_PATTERN_LENGTH} characters`];
  const stars = pattern.replaceAll('**', '\0').split('/');
  if (stars.some((segment) => segment.split('*').length > 4))
    return [`the pattern ${shown} has more than 3 stars in a row of text`];
  if (pattern.split('**').length > 5) return [`the pattern ${shown} has more than 4 times **`];
  if (/\{[^}]*[{]|\.\.|(?:,[^,]*){21}/.test(pattern))
    return [`the pattern ${shown} has nested braces, a range or too many alternatives`];
  return [];
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
