import type { ParsedFile, ParsedObject, RenderProblem } from './declared.ts';
import { flatten, type Manifest } from './flatten.ts';
import { checkManifest } from './manifest.ts';
import { isMap, type Value } from './node.ts';
import { readDocuments, type Document } from './yaml.ts';

/** The server takes objects of about 1.5 MB; a file may hold several. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_OBJECTS = 10_000;
const MAX_PROBLEMS = 100;

const LFS_POINTER = Buffer.from('version https://git-lfs.github.com/spec/');
const ENCRYPTED = 'ENC[AES256_GCM,';

/**
 * Reads one manifest file: its objects with their lines, or everything that is wrong with it. A file that holds no
 * Kubernetes document at all is left alone (`ignored` says why). Pure, never throws.
 */
export function parseFile(path: string, content: Uint8Array): ParsedFile {
  if (content.length > MAX_FILE_BYTES) {
    return refuse('FileTooLarge', path, `the file has more than ${MAX_FILE_BYTES} bytes`);
  }
  if (LFS_POINTER.every((byte, index) => content[index] === byte)) {
    return refuse('LfsPointer', path, 'the file is a Git LFS pointer, its content is not in the repository');
  }
  const text = textOf(content);
  if (text === undefined) {
    return refuse('InvalidEncoding', path, 'the file is neither UTF-8 text nor UTF-16 with a byte order mark');
  }

  const { documents, problems } = readDocuments(text, path);
  if (isEncrypted(documents, text)) {
    return refuse('SopsNotSupported', path, 'the file is encrypted by SOPS, which is not supported yet; exclude it');
  }
  if (problems.every(({ code }) => code === 'DuplicateKey') && documents.length > 0 && !documents.some(isKubernetes)) {
    return { objects: [], problems: [], ignored: 'no document has apiVersion or kind' };
  }
  return collect(documents, path, problems);
}

function collect(documents: readonly Document[], file: string, problems: RenderProblem[]): ParsedFile {
  const objects: ParsedObject[] = [];
  for (const document of documents) {
    const flat = flatten(document, file);
    problems.push(...flat.problems.slice(0, MAX_PROBLEMS));
    for (const manifest of flat.manifests) accept(manifest, file, objects, problems);
    if (objects.length > MAX_OBJECTS)
      return refuse('FileTooLarge', file, `the file holds more than ${MAX_OBJECTS} objects`);
  }
  return { objects, problems: problems.slice(0, MAX_PROBLEMS) };
}

function accept(manifest: Manifest, file: string, objects: ParsedObject[], problems: RenderProblem[]): void {
  const checked = checkManifest(manifest, file);
  if (Array.isArray(checked)) problems.push(...checked.slice(0, MAX_PROBLEMS));
  else objects.push({ object: checked, file, line: manifest.line });
}

function isKubernetes({ value }: Document): boolean {
  return isMap(value) && (Object.hasOwn(value, 'apiVersion') || Object.hasOwn(value, 'kind'));
}

/** SOPS adds a map `sops` at the top, and writes values as ENC[…]. */
function isEncrypted(documents: readonly Document[], text: string): boolean {
  const hasMetadata = documents.some(({ value }) => {
    const sops = isMap(value) ? value['sops'] : undefined;
    return isMap(sops) && (Object.hasOwn(sops, 'mac') || Object.hasOwn(sops, 'version'));
  });
  return hasMetadata || (text.includes(ENCRYPTED) && documents.some(({ value }) => holdsEncrypted(value)));
}

function holdsEncrypted(value: Value): boolean {
  if (typeof value === 'string') return value.startsWith(ENCRYPTED);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((child: Value) => holdsEncrypted(child));
}

/** UTF-8, or as for kubectl what a byte order mark says; kubectl puts U+FFFD for what is malformed, here it is refused. */
function textOf(content: Uint8Array): string | undefined {
  const mark = content.length < 2 ? 0 : (content[0]! << 8) | content[1]!;
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

function refuse(code: string, file: string, message: string): ParsedFile {
  return { objects: [], problems: [{ code, file, message }] };
}
