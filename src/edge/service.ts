import { isIP } from 'node:net';

/**
 * A service text read as Python's urllib reads a URL, because Emissary does (ir/irbasemapping.py, ir/ircluster.py): the
 * lines between what is used, what is ignored and what freezes the edge run along its odd edges.
 */
export interface ServiceUrl {
  /** Lower case; empty: none. */
  readonly scheme: string;
  /** Lower case; empty: none. */
  readonly host: string;
  /** As written; undefined: none. */
  readonly port: string | undefined;
  /** A path, a query or a fragment follows. */
  readonly hasRest: boolean;
}

/** Python raises for this text: where nobody catches it, the compiler ends. */
export interface UrlRefused {
  readonly refused: string;
}

// Nearly all are like this, and a large edge has thousands of them.
const PLAIN = /^(?:([a-z]+):)?\/\/([a-z0-9._-]+)(?::(\d+))?$/;

/** `//host:port/path` or `scheme://…`. */
export function readUrl(text: string): ServiceUrl | UrlRefused {
  const plain = PLAIN.exec(text);
  if (plain) return { scheme: plain[1] ?? '', host: plain[2] ?? '', port: plain[3], hasRest: false };
  let rest = stripped(text);
  let scheme = '';
  const colon = rest.indexOf(':');
  if (colon > 0 && /^[a-z][a-z0-9+.-]*$/i.test(rest.slice(0, colon))) {
    scheme = rest.slice(0, colon).toLowerCase();
    rest = rest.slice(colon + 1);
  }
  let authority = '';
  if (rest.startsWith('//')) {
    const end = rest.slice(2).search(/[/?#]/);
    authority = end < 0 ? rest.slice(2) : rest.slice(2, end + 2);
    rest = end < 0 ? '' : rest.slice(end + 2);
    const problem = bracketProblem(authority);
    if (problem) return { refused: problem };
  }
  const hasRest = !['', '?', '#', '?#'].includes(rest);
  return { scheme, ...hostAndPort(authority.slice(authority.lastIndexOf('@') + 1)), hasRest };
}

/** Leading control characters and blanks, and line breaks and tabs anywhere, are not there for urllib. */
function stripped(text: string): string {
  let start = 0;
  while (start < text.length && text.charCodeAt(start) <= 0x20) start++;
  return text.slice(start).replaceAll(/[\t\r\n]/g, '');
}

function bracketProblem(authority: string): string | undefined {
  const [open, close] = [authority.includes('['), authority.includes(']')];
  if (open !== close) return 'Invalid IPv6 URL';
  if (!open) return undefined;
  const [inside = ''] = authority.slice(authority.indexOf('[') + 1).split(']', 1);
  if (inside.startsWith('v')) return /^v[a-f0-9]+\..+$/i.test(inside) ? undefined : 'IPvFuture address is invalid';
  if (isIP(inside) === 4) return 'An IPv4 address cannot be in brackets';
  return isIP(inside) === 6 ? undefined : `'${inside}' does not appear to be an IPv4 or IPv6 address`;
}

function hostAndPort(text: string): { host: string; port: string | undefined } {
  const open = text.indexOf('[');
  const bracketed = open < 0 ? text : text.slice(open + 1);
  const [host = ''] = bracketed.split(open < 0 ? ':' : ']', 1);
  const after = open < 0 ? bracketed.slice(host.length) : bracketed.slice(host.length + 1);
  const colon = after.indexOf(':');
  const port = colon < 0 ? '' : after.slice(colon + 1);
  const [name = ''] = host.split('%', 1);
  return { host: name.toLowerCase() + host.slice(name.length), port: port === '' ? undefined : port };
}

/** The port as a number; 0 or none: undefined. */
export function portOf({ port }: ServiceUrl): number | undefined | UrlRefused {
  if (port === undefined) return undefined;
  if (!/^\d+$/.test(port)) return { refused: `Port could not be cast to integer value as '${port}'` };
  const number = Number(port);
  return number > 65_535 ? { refused: 'Port out of range 0-65535' } : number || undefined;
}

/**
 * The service as the compiler goes on with it: lower case, without path, port 0 or none left out, a bare name completed by
 * `namespace`. Refused: it goes on with the text as written, so the name is looked for in Emissary's own namespace.
 */
export function normaliseService(text: string, namespace: string | undefined): string | UrlRefused {
  const url = readUrl(hasAuthority(text) ? text : `//${text}`);
  if ('refused' in url) return url;
  if (url.host === '') return { refused: 'No hostname' };
  const [badEscape] = /%(?![0-9a-f]{2}).{0,2}/i.exec(url.host) ?? [];
  if (badEscape !== undefined) return { refused: `Invalid percent-escape in hostname: ${badEscape}` };
  const port = portOf(url);
  if (typeof port === 'object') return port;
  const host = unescaped(url.host);
  const qualified = host.includes('.') || host.includes(':') || host === 'localhost';
  const full = escaped(qualified || namespace === undefined ? host : `${host}.${namespace}`);
  const bracketed = full.includes(':') ? `[${full}]` : full;
  return `${url.scheme && `${url.scheme}://`}${bracketed}${port === undefined ? '' : `:${port}`}`;
}

/** Without `//` urllib would read `host:8080` as scheme and path. */
function hasAuthority(text: string): boolean {
  return text.startsWith('//') || /^[a-z0-9+.-]+:\/\//i.test(text);
}

function unescaped(host: string): string {
  if (!host.includes('%')) return host;
  const bytes = /(?:%[0-9a-f]{2})+/gi;
  return host.replaceAll(bytes, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

function escaped(host: string): string {
  if (/^[\w.~-]*$/.test(host)) return host;
  const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  const unsafe = /[^\w.~!$&'()*+,;=:[\]<>"-]/gu;
  return host.replaceAll(unsafe, (character) => [...Buffer.from(character, 'utf8')].map(hex).join(''));
}
