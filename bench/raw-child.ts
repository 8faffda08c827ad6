import { join } from 'node:path';
import type { Cluster } from '../test/cluster.ts';
import { Child } from './child-process.ts';

/** A bare loop as a process of its own; see raw-process.ts. */
export function rawProcess(mode: 'heal' | 'list' | 'hold', cluster: Cluster, namespace: string): Child {
  const file = join(import.meta.dirname, 'raw-process.ts');
  return new Child(() => ({ file: process.execPath, args: [file, mode, cluster.dir, namespace] }));
}
