import { Buffer } from 'node:buffer';

/**
 * Gives the memory of bytes back that nobody reads any more, now: a collection that would find them may come only when much of the kind has piled
 * up beside V8's heap. Bytes in memory that others may share are left to the collection.
 */
export function freeBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength !== Buffer.poolSize) buffer.transfer(0);
}
