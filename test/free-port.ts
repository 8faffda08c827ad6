import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FIRST = 5_000;
/** From here on, on most machines, the kernel gives ports to connections that go out, and to whoever asks for any port. */
const USUAL_END = 32_768;
const ATTEMPTS = 50;

/**
 * A port on loopback that was free a moment ago, for a process that must be told its port before it starts. The kernel gives
 * it to nobody meanwhile: hundreds of connections go out each second while tests run.
 */
export async function freePort(): Promise<number> {
  const end = endOfOurs();
  for (let attempt = 1; ; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * (end - FIRST));
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Where the ports begin that the kernel gives away. */
function endOfOurs(): number {
  try {
    const begin = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return begin > 2 * FIRST ? begin : USUAL_END;
  } catch {
    return USUAL_END; // not Linux
  }
}
