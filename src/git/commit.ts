import type { Commit } from './remote.ts';
import { gitError } from './errors.ts';

const SUBJECT_LENGTH = 200;

/** Reads a raw commit object. Throws GitProtocolError when it is not one. */
export function parseCommit(sha: string, content: Uint8Array): Commit & { tree: string } {
  const raw = Buffer.from(content.buffer, content.byteOffset, content.length);
  const end = raw.indexOf('\n\n');
  const headers = raw.toString('latin1', 0, end < 0 ? raw.length : end).split('\n');
  const header = (name: string): string | undefined =>
    headers.find((text) => text.startsWith(`${name} `))?.slice(name.length + 1);
  const decode = decoder(header('encoding'));
  const tree = header('tree') ?? '';
  if (!/^[0-9a-f]{40}$/.test(tree)) throw gitError('GitProtocolError', `the object ${sha} is not a sound commit`);
  const message = end < 0 ? '' : decode(raw.subarray(end + 2)).replace(/^\n+/, '');
  return {
    sha,
    tree,
    author: printable(decode(Buffer.from(identity(header('author')), 'latin1'))),
    subject: Array.from(printable(message.split('\n', 1)[0] ?? ''))
      .slice(0, SUBJECT_LENGTH)
      .join(''),
    time: timeOf(header('committer')),
  };
}

function decoder(encoding: string | undefined): (bytes: Uint8Array) => string {
  try {
    const text = new TextDecoder(encoding ?? 'utf-8');
    return (bytes) => text.decode(bytes);
  } catch {
    return (bytes) => Buffer.from(bytes).toString('utf8');
  }
}

/** `Ada Lovelace <ada@example.org> 1700000000 +0100` → the part before the time. */
function identity(line = ''): string {
  return line.replace(/ -?\d+ [+-]\d+$/, '').trim();
}

function timeOf(committer = ''): string {
  const seconds = Number(/ (\d{1,11}) [+-]\d+$/.exec(committer)?.[1] ?? 0);
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these are meant
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim();
}
