import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Bytes in between a client and a real server: counts connections and breaks them as networks do. */
export interface TcpProxy extends AsyncDisposable {
  /** The target's URL with our port. */
  url: string;
  readonly connections: number;
  readonly open: number;
  /** Everything is accepted, nothing passes any more in either direction: a black hole. */
  freeze(): void;
  thaw(): void;
  /** Every connection ends with a TCP reset. */
  reset(): void;
}

export async function tcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port, protocol } = new URL(target);
  const pairs = new Set<[Socket, Socket]>();
  const sockets = new Set<Socket>();
  let connections = 0;
  let frozen = false;
  const server = createServer((inside) => {
    connections += 1;
    const outside = connect(Number(port), hostname);
    const pair: [Socket, Socket] = [inside, outside];
    pairs.add(pair);
    for (const [from, to] of [pair, [outside, inside] as const]) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('data', (chunk) => {
        if (!frozen) to.write(chunk);
      });
      from.on('close', () => {
        pairs.delete(pair);
        sockets.delete(from);
        if (!frozen) to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get open() {
      return pairs.size;
    },
    freeze() {
      frozen = true;
    },
    thaw() {
      frozen = false;
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
