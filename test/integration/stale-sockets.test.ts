// A backend that closes a kept connection just when the next request is written on it: a race nobody is to blame for.
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';

const { start } = routerPerTest();
const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** Answers the first POST on each socket; on the second it hangs up, having `said` so much. */
async function closingServer(said = ''): Promise<{ readonly url: string; readonly posts: () => number }> {
  let posts = 0;
  const server = createServer((socket: Socket) => {
    let mine = 0;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      const isPost = data.toString().startsWith('POST');
      if (isPost) posts++;
      if (!isPost) socket.write(answer('{"object":"list","data":[{"id":"m"}]}'));
      else if (mine++ === 0) socket.write(answer('{"object":"chat.completion","choices":[{"message":{}}]}'));
      else if (said === '') socket.resetAndDestroy();
      else socket.end(said);
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, posts: () => posts };
}

function answer(body: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const calm = { intervalMs: 60_000, timeoutMs: 1_000, upAfter: 1, downAfter: 1 };

describe('a kept connection that its backend closes at that moment', () => {
  it('costs one silent try on a new one, and nobody’s blame', async () => {
    const { url, posts } = await closingServer();
    const backend = { name: 'b', engine: 'openai' as const, url, models: ['m'], probe: calm };
    const router = await start({ engines: [], others: [backend] });
    for (let n = 0; n < 6; n++) {
      const response = await router.chat({ model: 'm' });
      expect([response.status, response.headers.get('x-switchyard-attempts')]).toEqual([200, '1']);
      await response.text();
    }
    // The first of each socket is answered; every other one came twice.
    expect(posts()).toBeGreaterThan(6);
    expect(await router.metric('switchyard_upstream_attempts_total', { backend: 'b', result: 'ok' })).toBe(6);
    expect(await router.metric('switchyard_upstream_attempts_total', { backend: 'b', result: 'backend_broken' })).toBe(
      0,
    );
  });

  it('is a failure once something of an answer has come', async () => {
    const { url } = await closingServer('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"obj');
    const backend = { name: 'b', engine: 'openai' as const, url, models: ['m'], probe: calm };
    const router = await start({ engines: [], others: [backend] });
    await (await router.chat({ model: 'm' })).text();
    const broken = await router.chat({ model: 'm' });
    expect([broken.status, await broken.json()]).toMatchObject([502, { error: { type: 'backend_broken' } }]);
  });
});
