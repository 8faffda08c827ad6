import { isIP } from 'node:net';

/** Why Emissary does not take a text as an address or a range (`192.0.2.0/24`); undefined: it does. Host bits may be set. */
export function cidrProblem(text: string): string | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const length = slash < 0 ? undefined : text.slice(slash + 1);
  if (length !== undefined && !/^\s*[+-]?\d+(_\d+)*\s*$/.test(length)) return `${text} has an invalid length`;
  const version = isIP(address);
  if (version === 0) return `Invalid IP address ${address}`;
  const most = version === 4 ? 32 : 128;
  if (length !== undefined && Number(length.replaceAll('_', '')) > most) {
    return `Invalid prefix length for IPv${version} address ${text}`;
  }
  return undefined;
}
