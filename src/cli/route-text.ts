import type { Party } from '../edge/finding.ts';
import { isGlob } from '../edge/hostglob.ts';
import type { ValueMatch } from '../edge/model.ts';
import { ownerOf } from '../edge/party.ts';
import { valueMatches } from '../edge/request.ts';
import type { TableMember, TableRoute } from '../edge/route-table.ts';
import { whereOf } from './report.ts';

/**
 * The match in words: `/cart/`, `= /cart`, `~ /api/(v1|v2)/.*`, then headers and query; `tcp :5432` for connections. The host
 * is told only where the column before does not say it: a Host for `*.example.com` serves Mappings of narrower names.
 */
export function matchText({ host, path, headers, query, caseSensitive, precedence }: TableRoute): string {
  if (path.match === 'tcp') return `tcp :${path.value}`;
  const mark = { prefix: '', path: '= ', regex: '~ ' }[path.match];
  const method = headers.find(({ name, match }) => name === ':method' && match === 'exact')?.value;
  const others = headers.filter((one) => {
    if (one.name === ':authority') return !host.split(', ').every((domain) => takesAll(one, domain));
    return !(one.name === ':method' && one.match === 'exact');
  });
  return [
    ...(method === undefined ? [] : [method]),
    `${mark}${path.value}${caseSensitive ? '' : ' (any case)'}`,
    ...others.map((one) => valueText(one.name === ':authority' ? { ...one, name: 'host' } : one, ': ')),
    ...query.map((one) => `?${valueText(one, '=')}`),
    ...(precedence === 0 ? [] : [`precedence ${precedence}`]),
  ].join(' ');
}

/** Does a match of the host name take every name that a domain stands for? */
export function takesAll(asked: ValueMatch, domain: string): boolean {
  const { match, value = '' } = asked;
  if (!isGlob(domain)) return valueMatches(asked, domain);
  if (match === 'suffix') return domain.startsWith('*') && domain.slice(1).endsWith(value);
  return match === 'prefix' && domain.endsWith('*') && domain.slice(0, -1).startsWith(value);
}

function valueText({ name, match, value = '' }: ValueMatch, between: string): string {
  switch (match) {
    case 'present':
      return `${name}${between}*`;
    case 'exact':
      return `${name}${between}${value}`;
    case 'prefix':
      return `${name}${between}${value}*`;
    case 'suffix':
      return `${name}${between}*${value}`;
    case 'regex':
      return `${name}${between}~${value}`;
  }
}

/** How clients reach it: `https, http redirected`. */
export function tlsText({ tls: { https, http, clientCertificate }, path }: TableRoute): string {
  if (path.match === 'tcp') return https === 'none' ? '' : `TLS${clientCertificate ? ', client certificate' : ''}`;
  const secure = { terminated: 'https', forwarded: 'https by proxy', none: '' }[https];
  const clear = { served: 'http', redirected: 'http redirected', refused: '' }[http];
  return [secure, clear, clientCertificate ? 'client certificate' : ''].filter((part) => part !== '').join(', ');
}

/** One line for everybody who takes part: who gets how much, and where it goes. */
export interface RouteLine {
  readonly weight: string;
  readonly service: string;
  readonly object: Party;
}

export function linesOf({ members, redirect, shadows }: TableRoute): RouteLine[] {
  return [
    ...members.map((member) => ({ weight: `${member.share}%`, service: serviceText(member), object: member.object })),
    ...(redirect ? [{ weight: '', service: `→ ${redirectText(redirect.to)}`, object: redirect.object }] : []),
    ...shadows.map((object) => ({ weight: 'copy', service: '', object })),
  ];
}

export function serviceText({ service, encrypted }: Pick<TableMember, 'service' | 'encrypted'>): string {
  return service === '' ? 'nowhere' : `${encrypted ? 'https://' : ''}${service}`;
}

function redirectText({ host = '', path, prefix, regex }: NonNullable<TableRoute['redirect']>['to']): string {
  return `${host}${path ?? prefix ?? (regex === undefined ? '' : `~${regex}`)}` || 'https';
}

export function ownerText(object: Party): string {
  return ownerOf(object).replace(/^source /, '');
}

/** `Mapping shop/cart  config/cart.yaml:3` in two parts. */
export function whereText(object: Party): string {
  return whereOf(object, 'live');
}
