import { KubeError } from './errors.ts';

/** Act as this user. For a service account (`system:serviceaccount:NAMESPACE:NAME`) the server adds its groups itself. */
export interface Impersonation {
  username: string;
  groups?: readonly string[];
}

/** The user that a service account is. */
export function serviceAccountUser({ namespace, name }: { namespace: string; name: string }): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** What may stand in a header and in a user name: printable ASCII without blanks at the ends. */
const NAME = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * The request headers. Throws InvalidImpersonation for an empty or impossible name: the request would otherwise be made with
 * our own rights.
 */
export function impersonationHeaders({ username, groups = [] }: Impersonation): Record<string, string | string[]> {
  if (!isName(username)) throw invalid('the user name to act as', username);
  // The server only knows groups beside a user, and an empty group would be read as none at all.
  for (const group of groups) if (!isName(group)) throw invalid('a group to act as', group);
  return { 'impersonate-user': username, ...(groups.length > 0 ? { 'impersonate-group': [...groups] } : {}) };
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && NAME.test(value);
}

function invalid(what: string, value: unknown): KubeError {
  const why = value === '' || value === undefined ? 'is empty' : 'holds characters that a name cannot have';
  return new KubeError('InvalidImpersonation', `${what} ${why}: nothing was sent`);
}
