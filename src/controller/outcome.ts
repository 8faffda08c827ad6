/**
 * Done until something changes, or look again after a while; unfinished: go on after a while, there is nothing to tell yet. A
 * thrown error means retry; a TerminalError means stalled.
 */
export type Outcome = { kind: 'done' } | { kind: 'again' | 'unfinished'; afterMs: number };
