import { gitError } from './errors.ts';

/** One packet of Git's wire format: data, or one of the three marks. Source: gitprotocol-common(5). */
export type Packet = Uint8Array | 'flush' | 'delimiter' | 'end';

export const FLUSH = '0000';
export const DELIMITER = '0001';

const MARKS: Record<number, Packet> = { 0: 'flush', 1: 'delimiter', 2: 'end' };
const LONGEST = 65520;

/** One text line as a packet, with the newline that the format recommends. */
export function line(text: string): string {
  const size = Buffer.byteLength(text) + 5;
  return `${size.toString(16).padStart(4, '0')}${text}\n`;
}

/** Cuts a stream of bytes into packets. Throws GitProtocolError when it ends within one. */
export async function* packets(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Packet, void, undefined> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    held = held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([held, chunk]);
    let at = 0;
    while (held.length - at >= 4) {
      const size = packetSize(held.toString('latin1', at, at + 4));
      const mark = MARKS[size];
      if (mark !== undefined) {
        at += 4;
        yield mark;
        continue;
      }
      if (held.length - at < size) break;
      yield held.subarray(at + 4, at + size);
      at += size;
    }
    held = held.subarray(at);
  }
  if (held.length > 0)
    throw gitError('GitProtocolError', 'the answer of the Git server ends in the middle of a packet');
}

function packetSize(digits: string): number {
  const size = /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
  if (size === 3 || size < 0 || size > LONGEST) {
    throw gitError('GitProtocolError', 'the answer is not in the format of a Git server');
  }
  return size;
}

/** The text of a data packet without its newline. */
export function textOf(packet: Uint8Array): string {
  const text = Buffer.from(packet.buffer, packet.byteOffset, packet.length).toString('utf8');
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
