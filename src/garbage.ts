import { memoryUsage } from 'node:process';

/** A collection stops everything for about a millisecond for each megabyte; what is larger is left to V8, which does it bit by bit. */
const MOST_HEAP_BYTES = 256 * 1024 ** 2;

/**
 * Gives back what V8 leaves lying about until it next needs room, which at rest may be never: with 10,000 objects a tenth of the
 * memory of the process. Only where `gc` is there (`OPERATOR_FLAGS`).
 */
export function collectGarbage(): void {
  if (memoryUsage().heapUsed <= MOST_HEAP_BYTES) globalThis.gc?.();
}
