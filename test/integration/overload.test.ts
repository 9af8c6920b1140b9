// A router that runs out of something itself: who is refused, who is not, and that it ends.
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { overloadDefaults } from '../../src/config/defaults.ts';
import { exchangeBytes, post, statusesOf } from '../support/raw-http.ts';
import { routerPerTest } from '../support/running-router.ts';
import { answer, endless, hang } from '../support/scripted/behaviours.ts';

/** A bound for what would otherwise hang. */
const patiently = { timeout: 10_000 };

const { start, current } = routerPerTest();

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

function open(port: number, bytes: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  sockets.push(socket);
  return socket;
}

const chatOf = (content: string, more: object = {}) =>
  JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content }], ...more });

async function becomes(resource: string, value: 0 | 1): Promise<void> {
  await expect.poll(() => current().metric('switchyard_overload', { resource }), patiently).toBe(value);
}

/** A router whose readings are what a test says. */
async function startWith(used: { heap?: number; openFiles?: number }) {
  const readings = { heap: () => used.heap ?? 0, openFiles: () => used.openFiles };
  return start({ readings });
}

describe('a router that is overloaded', () => {
  it('refuses new requests in its own words, before it has read their bodies', async () => {
    const { port, chat, engine, metric } = await startWith({ heap: 0.95 });
    await becomes('heap', 1);
    const refused = await chat();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('x-should-retry')).toBe('true');
    expect(await refused.json()).toEqual({
      error: {
        type: 'overloaded',
        message: 'This router is overloaded: its memory is nearly used up (server.overload.heap).',
      },
    });
    // One that asks first never gets to hear that it may send its body.
    const asking = post('/v1/chat/completions', '', ['Expect: 100-continue']).replace('Length: 0', 'Length: 50000');
    expect(statusesOf(await exchangeBytes(port, asking))).toEqual([503]);
    expect(engine.posts).toHaveLength(0);
    expect(await metric('switchyard_rejections_total', { reason: 'overload' })).toBe(2);
    expect(await metric('switchyard_requests_total', { outcome: 'overloaded' })).toBe(2);
  });

  it('still answers who looks after it, and who has no key', async () => {
    const sha256 = createHash('sha256').update('k').digest('hex');
    const { get, chat } = await start({
      readings: { heap: () => 1 },
      auth: { mode: 'keys', keys: [{ tenant: 't', sha256 }] },
    });
    await becomes('heap', 1);
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await get(path)).status).toBe(200);
    const headers = { 'x-api-key': 'k' };
    for (const path of ['/v1/models', '/v1/models/test-model']) expect((await get(path, { headers })).status).toBe(200);
    expect((await chat()).status).toBe(401);
    expect((await chat({}, { headers })).status).toBe(503);
  });

  it('finishes what runs, recovers alone, and says both in one line each', async () => {
    const used = { heap: 0.1 };
    const { chat, engine, log, metric } = await startWith(used);
    engine.respond(answer({ count: 30, gapMs: 20 }));
    const running = chat({ stream: true });
    await engine.when(({ inFlight }) => inFlight === 1);
    used.heap = 0.95;
    await becomes('heap', 1);
    expect((await chat()).status).toBe(503);
    expect(await (await running).text()).toMatch(/t30 [\s\S]*\[DONE\]/);
    used.heap = 0.5;
    await becomes('heap', 0);
    engine.respond([]);
    expect((await chat()).status).toBe(200);
    const lines = log.filter((line) => 'overload' in line);
    expect(lines).toMatchObject([
      { level: 40, overload: 'heap', used: 1.06 },
      { level: 30, overload: 'heap', used: 0.56 },
    ]);
    expect(await metric('switchyard_overload_used_ratio', { resource: 'heap' })).toBeCloseTo(0.5 / 0.9);
  });

  it('notices by itself that its event loop was blocked', async () => {
    const { chat } = await start({ server: { overload: overloadDefaults } });
    const until = performance.now() + 2_000;
    while (performance.now() < until);
    await becomes('event_loop_delay', 1);
    expect((await chat()).status).toBe(503);
    await becomes('event_loop_delay', 0);
    expect((await chat()).status).toBe(200);
  });

  it('gives up connections where descriptors are short', async () => {
    const used = { openFiles: 0.2 };
    const { port } = await startWith(used);
    const idle = open(port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => void idle.once('data', resolve));
    const closed = new Promise((resolve) => void idle.once('close', resolve));
    used.openFiles = 0.95;
    await closed;
    const refused = await exchangeBytes(port, post('/v1/chat/completions', chatOf('hi')));
    expect(statusesOf(refused)).toEqual([503]);
    expect(refused.toLowerCase()).toContain('connection: close');
    expect(refused).toContain('server.overload.open_files');
  });

  it('gives up no connection whose caller has not taken its answer yet', async () => {
    const used = { openFiles: 0.2 };
    const { port, engine, service, metric } = await startWith(used);
    engine.respond(answer({ pieces: ['x'.repeat(900_000)] }));
    const slow = open(port, post('/v1/chat/completions', chatOf('hi')).repeat(20));
    slow.pause();
    // Most of it has nowhere to go but to wait here.
    await engine.when(({ posts, inFlight }) => posts.length > 0 && inFlight === 0);
    await expect.poll(() => service.held().running, patiently).toBe(0);
    expect(await metric('switchyard_buffered_bytes')).toBeGreaterThan(0);
    used.openFiles = 0.95;
    await becomes('open_files', 1);
    used.openFiles = 0.2;
    await becomes('open_files', 0);
    let bytes = 0;
    const all = 20 * 900_000;
    await new Promise<void>((resolve) => {
      slow.once('close', () => resolve());
      slow.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > all) resolve();
      });
      slow.resume();
    });
    expect(bytes).toBeGreaterThan(all);
  });
});

describe('bytes that are held', () => {
  const overload = { ...overloadDefaults, bufferedBytes: 1_000_000 };
  const big = 'x'.repeat(300_000);

  it('are those of bodies, from their announcement to the end of their requests', async () => {
    const { port, service, engine, chat } = await start({ server: { overload, maxBodyBytes: 1_000_000 } });
    engine.respond(hang());
    open(port, post('/v1/chat/completions', chatOf(big)));
    await engine.when(({ inFlight }) => inFlight === 1);
    const announced = post('/v1/chat/completions', '').replace('Content-Length: 0', 'Content-Length: 350000');
    open(port, announced);
    await expect.poll(() => service.held().bodyBytes, patiently).toBeGreaterThan(650_000);
    // What is left is less than its share of it.
    const third = statusesOf(await exchangeBytes(port, announced));
    expect(third).toEqual([503]);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => service.held().bodyBytes, patiently).toBe(0);
    engine.respond([]);
    expect((await chat()).status).toBe(200);
  });

  it('bound also bodies that come without their length', async () => {
    const { port, engine } = await start({ server: { overload, maxBodyBytes: 1_000_000 } });
    const chunk = `${(100_000).toString(16)}\r\n${' '.repeat(100_000)}\r\n`;
    const head =
      'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    engine.respond(hang());
    open(port, post('/v1/chat/completions', chatOf(big)));
    await engine.when(({ inFlight }) => inFlight === 1);
    const received = await exchangeBytes(port, head + chunk.repeat(7));
    expect(statusesOf(received)).toEqual([503]);
    expect(received).toContain('server.overload.buffered');
    expect(received.toLowerCase()).toContain('connection: close');
    expect(engine.posts).toHaveLength(1);
    for (const socket of sockets) socket.destroy();
  });

  it('are given back by every ending', async () => {
    const { port, service, chat, engine } = await start({ server: { overload, maxBodyBytes: 400_000 } });
    const statuses = [
      statusesOf(await exchangeBytes(port, post('/v1/chat/completions', `{"model":"${big}`))),
      statusesOf(await exchangeBytes(port, post('/v1/chat/completions', chatOf(big, { model: 'nobody' })))),
      statusesOf(await exchangeBytes(port, post('/v1/chat/completions', chatOf('x'.repeat(500_000))))),
    ];
    expect(statuses).toEqual([[400], [404], [413]]);
    expect((await chat()).status).toBe(200);
    expect(engine.posts).toHaveLength(1);
    expect(service.held().bodyBytes).toBe(0);
  });

  it('for a caller who does not read are few: its backend waits', async () => {
    const { port, engine, metric } = await start();
    engine.respond(endless('events'));
    const callers = Array.from({ length: 4 }, () => {
      const socket = open(port, post('/v1/chat/completions', chatOf('hi', { stream: true })));
      socket.pause();
      return socket;
    });
    await engine.when(({ inFlight }) => inFlight === callers.length);
    await expect.poll(() => metric('switchyard_buffered_bytes'), patiently).toBeGreaterThan(0);
    // As much as comes until all the buffers between are full, and then nothing more.
    let before = -1;
    for (let bytes = 0; bytes !== before; ) {
      before = bytes;
      await new Promise((resolve) => void setTimeout(resolve, 300));
      bytes = await metric('switchyard_buffered_bytes');
    }
    expect(before).toBeGreaterThan(0);
    expect(before / callers.length).toBeLessThanOrEqual(256 * 1_024);
    for (const socket of callers) socket.destroy();
    await expect.poll(() => metric('switchyard_buffered_bytes'), patiently).toBe(0);
  });
});
