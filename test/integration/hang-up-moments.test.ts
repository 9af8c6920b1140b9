// The moments at which no backend could notice a hang-up by itself, and how soon its socket is gone when the caller is.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Grant } from '../../src/access/limiter.ts';
import { ungranted } from '../../src/access/verdicts.ts';
import { timeouts } from '../support/a-fleet.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { post } from '../support/raw-http.ts';
import { expectNothingHeld, routerPerTest } from '../support/running-router.ts';
import { hang, stallsAfter } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

/** A caller on a socket of its own, with one chat sent. */
function caller(port: number, more: Readonly<Record<string, unknown>> = {}): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const body = { model: 'test-model', messages: [{ role: 'user', content: 'hi' }], ...more };
  socket.write(post('/v1/chat/completions', JSON.stringify(body)));
  releases.push(() => socket.destroy());
  return socket;
}

/** Sockets of this process that are being connected. */
function connecting(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'ConnectWrap').length;
}

/** Bounds for what would otherwise hang. */
const patiently = { interval: 5, timeout: 10_000 };

const closed = 'switchyard_hangup_to_upstream_closed_seconds';

/** As many hang-ups as connections closed because of them, each long before anything else would have closed it. */
async function expectClosed(count: number): Promise<void> {
  const { metric } = current();
  await expect.poll(() => metric(`${closed}_count`), patiently).toBe(count);
  expect(await metric(`${closed}_bucket`, { le: '1' })).toBe(count);
}

/** Takes connections and reads nothing from them. */
async function startDeafServer(): Promise<{ readonly url: string; readonly sockets: readonly Socket[] }> {
  const sockets: Socket[] = [];
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  releases.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return { url: `http://127.0.0.1:${address.port}`, sockets };
}

describe('a caller that hangs up', () => {
  it('while its backend is being connected ends the attempt to connect', async () => {
    const hole = await startBlackHole();
    try {
      const slow = { ...timeouts, connectMs: 3_000 };
      const rarely = { intervalMs: 60_000, timeoutMs: 1_000, upAfter: 1, downAfter: 1 };
      const others = [{ name: 'hole', url: hole.url, models: ['far'], timeouts: slow, probe: rarely }];
      const { port, service } = await start({ engines: [], others, waitUntilDiscovered: false });
      const socket = caller(port, { model: 'far' });
      await expect.poll(() => service.held().inFlight, patiently).toBe(1);
      // Beside those that fill the hole, and that of a probe.
      const before = connecting();
      socket.destroy();
      await expect.poll(connecting, { interval: 5, timeout: 2_000 }).toBe(before - 1);
      await expectClosed(1);
    } finally {
      await hole.close();
    }
  });

  it('while its request is being written closes the connection under it', async () => {
    const deaf = await startDeafServer();
    const others = [{ name: 'deaf', url: deaf.url, models: ['far'] }];
    const { port, service } = await start({ engines: [], others, waitUntilDiscovered: false });
    const probes = deaf.sockets.length;
    // More than the buffers between two sockets take.
    const socket = caller(port, { model: 'far', messages: [{ role: 'user', content: 'x'.repeat(20_000_000) }] });
    await expect.poll(() => service.held().inFlight, patiently).toBe(1);
    await expect.poll(() => deaf.sockets.length, patiently).toBeGreaterThan(probes);
    socket.destroy();
    await expectClosed(1);
  });

  it('while its limits are looked up is never seen by a backend, and gets back what was taken', async () => {
    const asked = Promise.withResolvers<Grant>();
    let [isAsked, refunds] = [false, 0];
    const limiter = {
      take: () => {
        isAsked = true;
        return asked.promise;
      },
    };
    const { port, engine } = await start({ limiter });
    const socket = caller(port);
    await expect.poll(() => isAsked, patiently).toBe(true);
    socket.destroy();
    await new Promise((resolve) => void setTimeout(resolve, 50));
    asked.resolve({ ...ungranted, refund: () => void refunds++ });
    await expectNothingHeld(current());
    expect(engine.posts).toHaveLength(0);
    expect(refunds).toBe(1);
  });

  it('while it waits for a slot leaves at once, and is never seen by a backend', async () => {
    const { port, engine, service } = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 10, maxWaitMs: 30_000 },
    });
    engine.respond(hang());
    const first = caller(port);
    await engine.when(({ inFlight }) => inFlight === 1);
    const second = caller(port);
    await expect.poll(() => service.held().waiting, patiently).toBe(1);
    second.destroy();
    await expect.poll(() => service.held().waiting, patiently).toBe(0);
    first.destroy();
    await expectClosed(1);
    expect(engine.posts).toHaveLength(1);
  });

  it.each([
    ['before the head', hang(), false],
    ['behind the head', hang('head'), true],
    ['in the middle', stallsAfter(3), true],
  ])('%s is timed', async (_name, behaviour, stream) => {
    const { port, engine } = await start();
    engine.respond(behaviour);
    const socket = caller(port, { stream });
    await engine.when(({ inFlight }) => inFlight === 1);
    socket.destroy();
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    await expectClosed(1);
    expect(engine.abortsSeen).toBe(1);
  });

  it('is not mistaken for what else ends a connection', async () => {
    const { chat, engine, metric } = await start({
      engines: [{ imitates: 'vllm', backend: { timeouts: { ...timeouts, firstBytePlainMs: 50 } } }],
    });
    engine.respond(hang());
    expect((await chat()).status).toBe(504);
    expect(await metric(`${closed}_count`)).toBe(0);
  });
});
