import { isIP } from 'node:net';
import { gitError } from './errors.ts';
import type { RefSelector, Remote } from './remote.ts';

// oxlint-disable-next-line no-control-regex -- exactly these are meant
const CONTROL = /[\u0000-\u001f\u007f]/;

/** The URL of a remote when it may be used, without query, fragment and trailing slashes. Throws InvalidURL. */
export function checkUrl(remote: Remote): URL {
  const { url: text } = remote;
  if (CONTROL.test(text) || text.startsWith('-'))
    throw gitError('InvalidURL', 'url holds characters that no URL may hold');
  if (/^[\w.-]+@[\w.-]+:/.test(text) || text.startsWith('ssh:')) {
    throw gitError('InvalidURL', 'url: SSH is not supported yet; use the https address of the repository');
  }
  const url = URL.parse(text);
  if (!url) throw gitError('InvalidURL', 'url is not a URL: expected https://host/path');
  if (url.username !== '' || url.password !== '') {
    throw gitError('InvalidURL', 'url holds credentials: move them into the Secret of spec.secretRef');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw gitError('InvalidURL', `url: scheme ${url.protocol.slice(0, -1)} is not supported; use https`);
  }
  if (url.protocol === 'http:' && !remote.insecure && !isLoopback(url.hostname)) {
    throw gitError('InvalidURL', `url: plain http to ${url.host} needs insecure: true; better use https`);
  }
  if (url.search !== '' || url.hash !== '') throw gitError('InvalidURL', 'url must not have a query or a fragment');
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Which refs must be asked for, and how one is chosen among them. Throws InvalidRef. */
export type RefQuery =
  { kind: 'ref'; ref: string; short: string } | { kind: 'semver'; range: string } | { kind: 'commit'; commit: string };

export function checkRef(selector: RefSelector): RefQuery {
  const fields = (['branch', 'tag', 'semver', 'commit', 'name'] as const).filter(
    (field) => selector[field] !== undefined,
  );
  if (fields.length > 1) throw gitError('InvalidRef', `ref sets ${fields.join(' and ')}; exactly one is allowed`);
  const { branch, tag, semver, commit, name } = selector;
  if (commit !== undefined) {
    if (!/^[0-9a-f]{40}$/.test(commit))
      throw gitError('InvalidRef', 'ref.commit must be a full object id: 40 hex digits');
    return { kind: 'commit', commit };
  }
  if (semver !== undefined) return { kind: 'semver', range: semver };
  if (tag !== undefined) return { kind: 'ref', ref: `refs/tags/${refName(tag, 'tag')}`, short: tag };
  if (name === undefined) {
    const short = refName(branch ?? 'main', 'branch');
    return { kind: 'ref', ref: `refs/heads/${short}`, short };
  }
  if (!name.startsWith('refs/')) throw gitError('InvalidRef', 'ref.name must be a full ref such as refs/heads/main');
  return { kind: 'ref', ref: refName(name, 'name'), short: name.replace(/^refs\/(heads|tags)\//, '') };
}

/** The rules of git-check-ref-format that matter for asking a server. */
function refName(name: string, field: string): string {
  const bad =
    name === '' ||
    name.length > 255 ||
    CONTROL.test(name) ||
    /[ ~^:?*[\\]/.test(name) ||
    /\.\.|@\{|\/\/|\.lock(\/|$)|^[-/.]|\/\.|[/.]$/.test(name);
  if (bad) throw gitError('InvalidRef', `ref.${field} is not a name that Git allows`);
  return name;
}

/** The segments of a path in the repository; [] is the root. Throws InvalidPath. */
export function checkPath(path: string): string[] {
  if (CONTROL.test(path)) throw gitError('InvalidPath', 'path holds control characters');
  if (path.startsWith('/')) throw gitError('InvalidPath', 'path must be relative to the root of the repository');
  if (path.includes('\\')) throw gitError('InvalidPath', 'path must use forward slashes');
  if (path.startsWith('-')) throw gitError('InvalidPath', 'path must not start with a dash; write ./-name');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw gitError('InvalidPath', 'path must not leave the repository (`..`)');
  return segments;
}
