import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Git, GitCall, Remote } from '../git/remote.ts';
import type { DeclareSettings } from '../render/declare.ts';
import { keptFiles, restoreFiles } from '../render/kept.ts';
import { allOf, type RenderResult } from '../render/render.ts';
import { wholeOf } from './applied.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Rendered, Source } from './source.ts';

/** One small note for each source, written with each commit; the files are in another one, written when they change. */
type Head = Pick<Rendered, 'treeId' | 'commit' | 'ignoredFiles'>;

/** What is kept of a revision, with its objects before `drift.ignore` takes fields out of them. */
export type Kept = Head & Pick<RenderResult, 'declared' | 'placedBy'>;

/** A source may have 64 MB; beyond this a restart reads Git's own objects again. */
const MAX_BYTES = 32 * 1024 * 1024;
const WRITE_MS = 30_000;

/**
 * What an earlier process rendered of the commit with these settings, so that a restart walks no tree and parses no YAML.
 * Fills the source's cache, even if it was another commit: what they have in common is not read again.
 * Undefined: the files must be looked at. Rejects only as `git.recall` does.
 */
export async function recallRevision(
  source: Source,
  wanted: { commit: string; settings: string; declare: DeclareSettings },
  remote: Remote,
  git: Git,
  call: GitCall,
): Promise<Kept | undefined> {
  const [headNote, filesNote] = notesOf(source);
  const [line] = (await git.recall(remote, headNote, call)) ?? [];
  const lines = await git.recall(remote, filesNote, call);
  if (line === undefined || !lines) return undefined;
  const head = JSON.parse(line) as Head;
  const content = await contentOf({ treeId: head.treeId, settings: wanted.settings });
  if (lines.next().value !== content) return undefined;
  source.cache.use(wanted.declare);
  await restoreFiles(lines, source.cache, call.signal);
  const whole = wholeOf({ treeId: head.treeId, settings: wanted.settings });
  source.kept = { whole, commit: head.commit.sha };
  if (head.commit.sha !== wanted.commit) return undefined;
  const all = allOf(source.cache, wanted.declare.scopeOf);
  // That nothing is declared is looked at with all care.
  if (!all?.declared.length) return undefined;
  source.cache.whole = whole;
  return { ...head, ...all };
}

/**
 * Keeps what is enforced for the process after this one, when the source's cache holds it. Returns at once: nobody waits for it, and where it
 * cannot be written a restart only takes longer.
 */
export function keepRevision(source: Source, remote: Remote, { git, log }: ReconcileDeps): void {
  const { rendered, cache, kept } = source;
  if (!rendered || cache.whole !== wholeOf(rendered)) return;
  const isSame = kept?.whole === cache.whole;
  if ((isSame && kept.commit === rendered.commit.sha) || cache.bytes > MAX_BYTES) return;
  source.kept = { whole: cache.whole, commit: rendered.commit.sha };
  // Taken now: by the time that it is written, the cache may hold another revision.
  const files = isSame ? undefined : keptFiles(cache);
  write(source, rendered, files, remote, git).catch((error: unknown) =>
    log.debug({ error, source: source.key }, 'what was rendered could not be kept for a restart'),
  );
}

async function write(
  source: Source,
  rendered: Rendered,
  files: Iterable<string> | undefined,
  remote: Remote,
  git: Git,
): Promise<void> {
  const { treeId, commit, ignoredFiles } = rendered;
  const content = await contentOf(rendered);
  const [headNote, filesNote] = notesOf(source);
  const call = { signal: new AbortController().signal, timeoutMs: WRITE_MS };
  if (files) await git.remember(remote, filesNote, headed(content, files), call);
  await git.remember(remote, headNote, [JSON.stringify({ treeId, commit, ignoredFiles } satisfies Head)], call);
}

function* headed(content: string, files: Iterable<string>): Generator<string> {
  yield content;
  yield* files;
}

/** Of the head and of the files. */
function notesOf({ key }: Source): [string, string] {
  const name = hash('sha256', key).slice(0, 32);
  return [`${name}head`, `${name}files`];
}

/** What the files were made of, and by what: another build may read them in another way. */
async function contentOf(rendered: Pick<Rendered, 'treeId' | 'settings'>): Promise<string> {
  // Of the bundle, every part is in it, or is named in it by its hash.
  build ??= readFile(import.meta.filename).then((code) => hash('sha256', code));
  return hash('sha256', `${await build} ${wholeOf(rendered)}`);
}

let build: Promise<string> | undefined;
