import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { readAudit, type AuditEvent } from '../test/audit.ts';
import type { Cluster } from '../test/cluster.ts';
import { until } from '../test/until.ts';

/** The operator's user in a test cluster. */
export const OPERATOR = 'operator';

/** What the operator asked the API server since `sinceMs` (Date.now), without its watches and its lease. */
export function requestsSince(cluster: Cluster, sinceMs: number): AuditEvent[] {
  return readAudit(cluster, OPERATOR).filter(
    ({ verb, objectRef, requestReceivedTimestamp }) =>
      verb !== 'watch' && objectRef?.resource !== 'leases' && Date.parse(requestReceivedTimestamp) >= sinceMs,
  );
}

/** Waits until the operator has sent something since `sinceMs`, and then nothing but watches for so long. */
export async function quiet(cluster: Cluster, sinceMs = 0, forMs = 2_500): Promise<void> {
  await until(
    () => {
      const last = requestsSince(cluster, sinceMs).at(-1);
      return last !== undefined && Date.now() - Date.parse(last.requestReceivedTimestamp) > forMs;
    },
    { what: 'the operator is at rest', timeoutMs: 120_000, intervalMs: 200 },
  );
}

/** Reads an audit log from where it stopped the last time: some logs here have hundreds of megabytes. */
export class AuditTail {
  readonly #file: string;
  #offset: number;

  constructor({ auditLog }: Cluster) {
    if (auditLog === undefined) throw new Error('this cluster was started without `audit: true`');
    this.#file = auditLog;
    this.#offset = statSync(auditLog).size;
  }

  /** What this user has asked since the last call, without watches. */
  next(username: string): AuditEvent[] {
    const bytes = Buffer.alloc(statSync(this.#file).size - this.#offset);
    const file = openSync(this.#file, 'r');
    readSync(file, bytes, 0, bytes.length, this.#offset);
    closeSync(file);
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
    this.#offset += whole.length;
    const lines = whole.toString().split('\n').slice(0, -1);
    const events = lines.map((line) => JSON.parse(line) as AuditEvent);
    return events.filter(({ user, verb }) => user.username === username && verb !== 'watch');
  }
}

/** How many requests of each kind: `list configmaps`, `patch gitopssources/status`, `patch configmaps (dry run)`. */
export function byKind(requests: readonly AuditEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const request of requests) counts.set(kindOf(request), (counts.get(kindOf(request)) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function isDryRun({ requestURI }: AuditEvent): boolean {
  return requestURI.includes('dryRun=All');
}

/** Changes a managed object for good. */
export function isWrite(request: AuditEvent): boolean {
  const { verb, objectRef } = request;
  const reads = verb === 'get' || verb === 'list';
  return !reads && !isDryRun(request) && objectRef?.resource !== 'gitopssources' && objectRef?.resource !== 'events';
}

function kindOf(request: AuditEvent): string {
  const { verb, objectRef, requestURI } = request;
  const resource = objectRef ? [objectRef.resource, objectRef.subresource].filter(Boolean).join('/') : 'discovery';
  if (!objectRef && !/^\/(api|apis)(\/|\?|$)/.test(requestURI)) return `${verb} ${requestURI.split('?')[0]}`;
  return `${verb} ${resource}${isDryRun(request) ? ' (dry run)' : ''}`;
}
