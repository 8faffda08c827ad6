import { KubeError } from './errors.ts';

const NEWLINE = 0x0a;

/**
 * Cuts bytes into lines and hands each to `onLine` at once, without its newline; empty lines are skipped. Throws
 * ApiAnswerTooLarge when a line exceeds `limitBytes`.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #limitBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(onLine: (line: string) => void, limitBytes: number) {
    this.#onLine = onLine;
    this.#limitBytes = limitBytes;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      this.#flush();
    }
    this.#keep(chunk.subarray(start));
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > this.#limitBytes) {
      throw new KubeError('ApiAnswerTooLarge', `one event of a watch is larger than ${this.#limitBytes} bytes`);
    }
    this.#pending.push(part);
  }

  #flush(): void {
    if (this.#pendingBytes === 0) return;
    const [first = new Uint8Array()] = this.#pending;
    const bytes = this.#pending.length === 1 ? first : Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#onLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  }
}
