import { memoryUsage } from 'node:process';

/** A collection stops everything for about a millisecond for each megabyte; what is larger is left to V8, which does it bit by bit. */
const MOST_HEAP_BYTES = 256 * 1024 ** 2;

/**
 * Gives back what V8 leaves lying about until it next needs room. It does that by itself where the processor is idle; on a busy
 * machine, with 10,000 objects, it left a tenth of the memory of the process. Only where `gc` is there (`OPERATOR_FLAGS`).
 */
export function collectGarbage(): void {
  if (memoryUsage().heapUsed <= MOST_HEAP_BYTES) globalThis.gc?.();
}
