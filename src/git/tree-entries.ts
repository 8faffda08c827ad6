import { gitError } from './errors.ts';

export interface TreeEntry {
  kind: 'file' | 'directory' | 'link' | 'submodule';
  name: string;
  oid: string;
  /** Set when the name cannot be shown or sent as it is; `name` is then an escaped form of it. */
  unreadable?: true;
}

const KINDS: Record<string, TreeEntry['kind']> = {
  '40000': 'directory',
  '100644': 'file',
  '100755': 'file',
  '100664': 'file',
  '120000': 'link',
  '160000': 'submodule',
};

/**
 * The entries of a raw tree object. Throws HostileTree for what a sound Git never writes; `where` is the folder, for the
 * message.
 */
export function parseTree(content: Uint8Array, where: string): TreeEntry[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const zero = bytes.indexOf(0, space);
    if (space < 0 || zero < 0 || zero + 21 > bytes.length) throw hostile(where, 'is cut off');
    const mode = bytes.toString('latin1', at, space);
    const kind = KINDS[mode];
    if (kind === undefined) throw hostile(where, `holds an entry of unknown mode ${JSON.stringify(mode).slice(0, 20)}`);
    const entry = {
      kind,
      ...readName(bytes.subarray(space + 1, zero)),
      oid: bytes.toString('hex', zero + 1, zero + 21),
    };
    if (isHostileName(entry.name))
      throw hostile(where, `holds an entry named ${JSON.stringify(entry.name).slice(0, 80)}`);
    if (names.has(entry.name)) throw hostile(where, `holds ${JSON.stringify(entry.name).slice(0, 80)} twice`);
    names.add(entry.name);
    entries.push(entry);
    at = zero + 21;
  }
  return entries;
}

function hostile(where: string, what: string): Error {
  return gitError('HostileTree', `the folder ${where === '' ? 'at the root' : where} of the commit ${what}`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// oxlint-disable-next-line no-control-regex -- exactly these are meant
const CONTROL = /[\u0000-\u001f\u007f]/g;

function readName(bytes: Uint8Array): { name: string; unreadable?: true } {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch {
    const escaped = Buffer.from(bytes).toString('latin1');
    return { name: escaped.replace(/[^\u0020-\u007e]/g, escapeCharacter), unreadable: true };
  }
  const shown = name.replace(CONTROL, escapeCharacter);
  return shown === name ? { name } : { name: shown, unreadable: true };
}

function escapeCharacter(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

// What HFS+ leaves out when it compares names.
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Names that stand for a folder itself, for its parent, or on some file system for `.git`. Source: git's fsck. */
export function isHostileName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return true;
  return /^(\.git|git~1)[ .]*(:.*)?$/i.test(name.replace(IGNORED_BY_HFS, ''));
}
