// Which connections of a server that drains are idle, and for how long they are left.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpenSockets } from '../../src/http/open-sockets.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';

let clock: FakeClock;
let sockets: OpenSockets;
let server: Server;
let requests: number;
let answered: number;
const callers: Socket[] = [];

beforeEach(async () => {
  clock = fakeClock();
  sockets = new OpenSockets(clock);
  requests = 0;
  answered = 0;
  server = createServer((request, response) => {
    requests++;
    sockets.begin(response);
    response.once('close', () => answered++);
    if (request.url === '/') response.end('answer');
  });
  sockets.watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const caller of callers.splice(0)) caller.destroy();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

async function caller(sends: string): Promise<Socket> {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const socket = connect(address.port, '127.0.0.1');
  callers.push(socket);
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  socket.write(sends);
  return socket;
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

describe('a connection of a server that drains', () => {
  it('is left for a while after its last answer, and ended then', async () => {
    const socket = await caller(get('/'));
    await vi.waitFor(() => expect(answered).toBe(1));
    sockets.closeIdle(1_000);
    clock.advance(999);
    sockets.closeIdle(1_000);
    socket.write(get('/'));
    await vi.waitFor(() => expect(answered).toBe(2));
    clock.advance(999);
    sockets.closeIdle(1_000);
    expect(socket.destroyed).toBe(false);
    clock.advance(1);
    sockets.closeIdle(1_000);
    await once(socket, 'close');
  });

  it('is not idle while an answer is under way, nor while a request is coming, nor before the first one', async () => {
    await caller(get('/never'));
    const half = await caller(get('/'));
    await caller('');
    await vi.waitFor(() => expect([requests, answered]).toEqual([2, 1]));
    half.write('GET / HTTP/1.1\r\nhost');
    await caller(get('/'));
    // Its bytes came after those of the half request.
    await vi.waitFor(() => expect(answered).toBe(2));
    clock.advance(60_000);
    sockets.closeIdle(1_000);
    const open = async () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    await vi.waitFor(async () => expect(await open()).toBe(3));
    sockets.closeUnused();
    await vi.waitFor(async () => expect(await open()).toBe(1));
  });
});
