// The connection on which allocations are counted: what is no answer must end the count, and not be counted.
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Line } from '../bench/allocations/line.ts';

const opened: Server[] = [];

afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

describe('a connection that counts', () => {
  it('takes an answer that comes in pieces', async () => {
    const line = await lineTo((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n{"a":');
      setImmediate(() => socket.write('{}}'));
    });
    await expect(line.exchange('x', (text) => text.endsWith('}}'))).resolves.toBeUndefined();
    line.close();
  });

  it('ends at a refusal, though it looks like an answer', async () => {
    const line = await lineTo((socket) => socket.write('HTTP/1.1 503 Service Unavailable\r\n\r\n{"error":{}}'));
    await expect(line.exchange('x', (text) => text.endsWith('}}'))).rejects.toThrow(/^refused: HTTP\/1.1 503/);
    line.close();
  });

  it('ends when the router closes it', async () => {
    const line = await lineTo((socket) => socket.end('HTTP/1.1 200 OK\r\n'));
    await expect(line.exchange('x', (text) => text.endsWith('}}'))).rejects.toThrow(/^the connection closed/);
  });
});

async function lineTo(answer: (socket: Socket) => void): Promise<Line> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => answer(socket));
  });
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return Line.open(address !== null && typeof address === 'object' ? address.port : 0);
}
