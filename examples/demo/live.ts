import { setTimeout as pause } from 'node:timers/promises';
import { API_VERSION } from '../../src/api/names.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Client } from './client.ts';
import { readyOf, shortRevisions, statusOf } from './report.ts';
import { table, type Terminal } from './terminal.ts';

const REFRESH_MS = 1000;
const EVENT_LENGTH = 90;

/** The part of a core/v1 Event that the table shows. */
export interface Event {
  involvedObject: { namespace?: string; name?: string };
  reason?: string;
  message?: string;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  metadata: { creationTimestamp?: string };
}

/** Shows all sources until `signal` is aborted: a table that is redrawn, or a line for each change without a terminal. */
export async function liveView(client: Client, terminal: Terminal, signal: AbortSignal): Promise<void> {
  let shown: readonly string[] = [];
  while (!signal.aborted) {
    const lines = await lookAt(client, signal).catch((error: unknown) => {
      if (signal.aborted) return [];
      return [`the API server does not answer: ${(error as Error).message}`];
    });
    const changed = lines.filter((line) => !shown.includes(line));
    if (changed.length > 0) terminal.repaint(terminal.live ? lines : changed);
    shown = lines;
    await pause(REFRESH_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function lookAt(client: Client, signal: AbortSignal): Promise<string[]> {
  const [sources, events] = await Promise.all([
    client.call<{ items?: KubeObject[] }>(`/apis/${API_VERSION}/gitopssources`, { signal }),
    client.call<{ items?: Event[] }>('/api/v1/events?fieldSelector=involvedObject.kind%3DGitOpsSource', { signal }),
  ]);
  return liveTable(sources.body.items ?? [], events.body.items ?? []);
}

/** One row for each source, the heading first. */
export function liveTable(sources: readonly KubeObject[], events: readonly Event[]): string[] {
  const rows = sources.map((source) => {
    const { metadata } = source;
    const status = statusOf(source);
    return [
      `${metadata.namespace}/${metadata.name}`,
      shortRevisions(status?.lastAppliedRevision ?? status?.lastAttemptedRevision ?? ''),
      readyOf(source).status,
      String(status?.inventory?.count ?? 0),
      `${status?.drift?.count ?? 0} now, ${status?.drift?.healedCount ?? 0} healed`,
      lastEvent(events, metadata.namespace ?? '', metadata.name),
    ];
  });
  return table([['SOURCE', 'REVISION', 'READY', 'OBJECTS', 'DRIFT', 'LAST EVENT'], ...rows]);
}

function lastEvent(events: readonly Event[], namespace: string, name: string): string {
  const own = events.filter(
    ({ involvedObject }) => involvedObject.namespace === namespace && involvedObject.name === name,
  );
  const last = own.sort((left, right) => timeOf(left).localeCompare(timeOf(right))).at(-1);
  if (!last) return '';
  const message = shortRevisions((last.message ?? '').split('\n')[0] ?? '');
  return `${timeOf(last).slice(11, 19)} ${last.reason ?? ''}: ${message}`.slice(0, EVENT_LENGTH);
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
}
