/** Done until something changes, or look again after a while. A thrown error means retry; a TerminalError means stalled. */
export type Outcome = { kind: 'done' } | { kind: 'again'; afterMs: number };
