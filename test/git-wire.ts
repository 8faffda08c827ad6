// As much of Git's wire format as a server needs that pretends to know less than git does. Independent of src/git.
import { gunzipSync } from 'node:zlib';

/** The payloads of a pkt-line stream; the special packets (flush and so on) are their numbers. */
export function readPackets(bytes: Buffer): (Buffer | number)[] {
  const packets: (Buffer | number)[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 4), 16);
    if (Number.isNaN(length)) break;
    packets.push(length < 4 ? length : bytes.subarray(at + 4, at + length));
    at += Math.max(length, 4);
  }
  return packets;
}

export function writePacket(payload: Buffer | string | number): Buffer {
  if (typeof payload === 'number') return Buffer.from(payload.toString(16).padStart(4, '0'));
  const bytes = Buffer.from(payload as string, 'latin1');
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** The request of one upload-pack call: its command (v2) or `fetch`, and its lines. */
export function readUploadRequest(body: Buffer, encoding: string | undefined): { command: string; lines: string[] } {
  const plain = encoding === 'gzip' ? gunzipSync(body) : body;
  const lines = readPackets(plain)
    .filter((packet) => typeof packet !== 'number')
    .map((packet) => packet.toString('utf8').trimEnd());
  const [, command = 'fetch'] = /^command=(\S+)/.exec(lines[0] ?? '') ?? [];
  return { command, lines };
}

/** The advertisement without any word of shallow: v2 says `fetch=shallow …`, v0 lists it behind the first ref's NUL. */
export function withoutShallow(advertisement: Buffer): Buffer {
  const packets = readPackets(advertisement).map((packet) => {
    if (typeof packet === 'number') return packet;
    const text = packet.toString('latin1');
    if (text.startsWith('fetch=')) return text.replace(/\bshallow ?/, '');
    return text.includes('\0') ? text.replace(/ (shallow|deepen-\w+)(?= |\n|$)/g, '') : packet;
  });
  return Buffer.concat(packets.map(writePacket));
}

/** Turns one byte inside the pack, so that its checksum (and most likely an object) is wrong. No pack: unchanged. */
export function corruptPack(answer: Buffer): Buffer {
  const pack = answer.indexOf('PACK');
  const at = pack + 24;
  if (pack < 0 || at >= answer.length) return answer;
  const changed = Buffer.from(answer);
  changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
  return changed;
}
