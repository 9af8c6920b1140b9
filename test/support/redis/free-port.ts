// A port on loopback that is free now and stays so while its server restarts: below the range from which systems take
// the ports of outgoing connections (Linux: 32768 and up), as is the cluster bus, which Redis puts 10000 above.
import { once } from 'node:events';
import { createServer } from 'node:net';

const lowest = 12_000;
const count = 10_000;
export const busOffset = 10_000;

/** Others may take it before it is used: whoever starts a server tries again then. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count);
    if ((await isFree(port)) && (await isFree(port + busOffset))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
