import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';

/** One line of the API server's audit log (audit.k8s.io/v1 Event at level Metadata), the part that tests count by. */
export interface AuditEvent {
  /** A watch is logged when it opens (ResponseStarted) and when it ends (ResponseComplete), all else when it ends. */
  stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  auditID: string;
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  verb: string;
  requestURI: string;
  user: { username: string };
  userAgent?: string;
  objectRef?: {
    apiGroup?: string;
    resource: string;
    subresource?: string;
    namespace?: string;
    name?: string;
  };
  responseStatus?: { code: number };
  /** RFC 3339 with microseconds. */
  requestReceivedTimestamp: string;
}

/** The requests of a cluster that was started with `audit`, by one user or by all, since the log began. */
export function readAudit(cluster: Cluster, username?: string): AuditEvent[] {
  if (cluster.auditLog === undefined) throw new Error('this cluster was started without `audit: true`');
  const lines = readFileSync(cluster.auditLog, 'utf8').split('\n');
  lines.pop(); // empty, or the begin of a line that is being written
  const events = lines.map((line) => JSON.parse(line) as AuditEvent);
  return username === undefined ? events : events.filter(({ user }) => user.username === username);
}

/** Waits until nothing was counted for longer than a change of health takes to be told; what was counted by then. */
export async function settled(count: () => number): Promise<number> {
  for (let before = count(); ; before = count()) {
    await pause(2_500);
    if (count() === before) return before;
  }
}
