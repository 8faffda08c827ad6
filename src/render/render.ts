import { isDeepStrictEqual } from 'node:util';
import { Slice } from '../concurrency/slice.ts';
import type { TreeFile } from '../git/remote.ts';
import { groupOf } from '../kube/object.ts';
import { NONE } from '../none.ts';
import type { RenderCache, RenderedFile } from './cache.ts';
import {
  crdScope,
  declareObject,
  duplicates,
  unknownKinds,
  withCrds,
  type Declaration,
  type DeclareSettings,
  type Scope,
} from './declare.ts';
import type { Declared, RenderProblem } from './declared.ts';
import { parseFile } from './parse.ts';
import { allPlacements, sharedPlacements, type Placement } from './placements.ts';
import { folderPrefix, IGNORE_FILE, selectFiles, type Selection } from './select.ts';

export interface RenderInput {
  files: readonly TreeFile[];
  /** Contents by blob id; an id without content is a problem of its file. */
  read: (oids: readonly string[]) => Promise<Map<string, Uint8Array>>;
  /** The ignore file is found among `files` and read. */
  selection: Omit<Selection, 'ignoreFile'>;
  settings: DeclareSettings;
  cache: RenderCache;
  signal: AbortSignal;
  /** All selected files together; what they declare is kept in memory. */
  maxBytes?: number;
}

/** With any problem, `declared` is not the whole and must be neither applied nor pruned by. */
export interface RenderResult extends Declaration {
  /** Manifest-like files without a Kubernetes document, left alone. */
  ignored: string[];
  /** Files that include, exclude or the ignore file left out. */
  skipped: number;
  /** The scopes that the objects were placed by. */
  placedBy: readonly Placement[];
  /** Files that were read this time; the rest came from the cache. */
  parsedFiles: number;
}

/** Blobs asked for at once; two times as many are held in memory besides the result. */
const BATCH = 256;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Renders the selected files of a tree. Only files that changed since the cache saw them are read and parsed.
 * Rejects only when aborted or when `read` does; what is wrong in the repository comes back as problems.
 */
export async function render(input: RenderInput): Promise<RenderResult> {
  const { files, selection, settings, cache, signal } = input;
  const ignoreFile = await readIgnoreFile(input);
  const wanted = { ...selection, ...(ignoreFile ? { ignoreFile } : {}) };
  const { selected, problems, skipped } = await selectFiles(files, wanted, signal);
  cache.whole = undefined;
  cache.use(settings);
  cache.keepOnly(new Set(selected.map(({ path }) => path)));
  const slice = new Slice(signal);

  await slice.rest();

  const parsedFiles = await refresh(selected, input, slice);
  if (isTooMuch(input)) problems.push(tooMuch(input));
  const rendered = selected.flatMap(({ path }) => cache.get(path) ?? []);
  const declared = rendered.flatMap((file) => file.declared);
  await slice.rest();
  return {
    declared,
    problems: [...problems, ...rendered.flatMap((file) => file.problems), ...duplicates(declared)],
    unknownKinds: unknownKinds(declared, withCrds(settings.scopeOf, crdsOf(selected, cache))),
    ignored: selected.flatMap(({ path }) => (cache.get(path)?.ignored === undefined ? [] : path)),
    skipped,
    placedBy: allPlacements(rendered.map((file) => file.placedBy)),
    parsedFiles,
  };
}

/** What the files of a cache declare together; undefined unless each object is placed now as it was when its file was rendered. */
export function allOf(
  cache: RenderCache,
  scopeOf: DeclareSettings['scopeOf'],
): Pick<RenderResult, 'declared' | 'placedBy'> | undefined {
  const files = [...cache.entries()];
  const known = withCrds(scopeOf, new Map(files.flatMap(([, { crds }]) => crds)));
  const isFresh = files.every(([path, { oid }]) => cache.isFresh({ path, oid }, known));
  if (!isFresh) return undefined;
  const placedBy = allPlacements(files.map(([, file]) => file.placedBy));
  return { declared: files.flatMap(([, { declared }]) => declared), placedBy };
}

/**
 * Brings the cache up to date; returns how many files it took. A CRD of this commit places objects of its kind, so the
 * files that it concerns are done again once all CRDs are known.
 */
async function refresh(selected: readonly TreeFile[], input: RenderInput, slice: Slice): Promise<number> {
  const { cache, settings } = input;
  const update = async (crds: ReadonlyMap<string, Scope>): Promise<number> => {
    const scopeOf = withCrds(settings.scopeOf, crds);
    const stale = selected.filter((file) => !cache.isFresh(file, scopeOf));
    await renderFiles(stale, { ...input, settings: { ...settings, scopeOf } }, slice);
    return stale.length;
  };
  const before = crdsOf(selected, cache);
  const count = await update(before);
  const after = crdsOf(selected, cache);
  if (!isDeepStrictEqual(before, after)) await update(after);
  return count;
}

async function readIgnoreFile({ files, read, selection }: RenderInput): Promise<string | undefined> {
  const path = folderPrefix(selection.path) + IGNORE_FILE;
  const file = files.find((candidate) => candidate.path === path && !candidate.problem);
  if (!file) return undefined;
  const content = (await read([file.oid])).get(file.oid);
  return content && new TextDecoder().decode(content);
}

function crdsOf(selected: readonly TreeFile[], cache: RenderCache): Map<string, Scope> {
  return new Map(selected.flatMap(({ path }) => cache.get(path)?.crds ?? []));
}

function isTooMuch({ cache, maxBytes = MAX_BYTES }: RenderInput): boolean {
  return cache.bytes > maxBytes;
}

function tooMuch({ selection, maxBytes = MAX_BYTES }: RenderInput): RenderProblem {
  const message = `the selected files, or the objects in them as JSON, have more than ${maxBytes} bytes together`;
  return { code: 'TooMuch', file: selection.path || '.', message };
}

/** Stops at the first file with which it becomes too much: the rest is not even read. */
async function renderFiles(stale: readonly TreeFile[], input: RenderInput, slice: Slice): Promise<void> {
  // Their old content no longer counts.
  for (const { path } of stale) input.cache.delete(path);
  const batches = Array.from({ length: Math.ceil(stale.length / BATCH) }, (_, index) =>
    stale.slice(index * BATCH, (index + 1) * BATCH),
  );
  const read = async (batch: readonly TreeFile[] | undefined) => batch && input.read(batch.map(({ oid }) => oid));
  let reading = read(batches[0]);
  for (const [index, batch] of batches.entries()) {
    if (isTooMuch(input)) return;
    const contents = await reading;
    // Blobs are read by another thread while this one renders.
    reading = read(batches[index + 1]);
    reading.catch(() => {});
    for (const file of batch) {
      if (isTooMuch(input)) return;
      input.cache.set(file.path, renderFile(file, contents?.get(file.oid), input.settings));
      await slice.rest();
    }
  }
}

function renderFile({ path, oid }: TreeFile, content: Uint8Array | undefined, settings: DeclareSettings): RenderedFile {
  if (!content) return { oid, bytes: 0, declared: NONE, problems: [missing(path)], crds: NONE, placedBy: NONE };
  const parsed = parseFile(path, content);
  const declared: Declared[] = [];
  const problems = [...parsed.problems];
  const crds: [string, Scope][] = [];
  const placedBy: Placement[] = [];
  for (const one of parsed.objects) {
    const { apiVersion, kind } = one.object;
    const group = groupOf(apiVersion);
    if (!placedBy.some((placed) => placed.kind === kind && placed.group === group)) {
      placedBy.push({ group, kind, scope: settings.scopeOf(group, kind) });
    }
    crds.push(...(crdScope(one.object) ?? []));
    const outcome = declareObject(one, settings);
    if (Array.isArray(outcome)) problems.push(...outcome);
    else declared.push(outcome);
  }
  return {
    oid,
    bytes: Math.max(content.length, bytesOf(declared)),
    declared: trimmed(declared),
    problems: trimmed(problems),
    crds: trimmed(crds),
    placedBy: sharedPlacements(placedBy),
    ...(parsed.ignored !== undefined && { ignored: parsed.ignored }),
  };
}

function bytesOf(declared: readonly Declared[]): number {
  return declared.reduce((sum, { body }) => sum + Buffer.byteLength(body.text), 0);
}

/** Without the room for further items that a list keeps when it grows: there are four of them for each file. */
function trimmed<T>(items: readonly T[]): readonly T[] {
  return items.length === 0 ? NONE : items.slice();
}

function missing(path: string): RenderProblem {
  return { code: 'UnreadableFile', file: path, message: 'the content of the file cannot be read' };
}
