import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { expectNothingHeld, routerPerTest } from '../support/running-router.ts';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import { post } from '../support/raw-http.ts';

const { start, current } = routerPerTest();

const chat = { model: 'test-model', messages: [{ role: 'user', content: 'hi' }] };
const moments = [
  ['a chat before the head', '/v1/chat/completions', chat, hang()],
  ['a stream before the head', '/v1/chat/completions', { ...chat, stream: true }, hang()],
  ['a stream behind the head', '/v1/chat/completions', { ...chat, stream: true }, hang('head')],
  ['a stream in the middle', '/v1/chat/completions', { ...chat, stream: true }, stallsAfter(3)],
  ['a completion before the head', '/v1/completions', { model: 'test-model', prompt: 'x' }, hang()],
  ['embeddings before the head', '/v1/embeddings', { model: 'test-model', input: 'x' }, hang()],
  [
    'a plain answer in the middle',
    '/v1/chat/completions',
    chat,
    answer({ pieces: ['y'.repeat(3_000_000)], cut: { after: 2_000_000, of: 'bytes', how: 'stall' } }),
  ],
] as const;

describe('a caller that hangs up', () => {
  it.each(moments)('during %s closes the connection to the backend at once', async (_name, path, body, behaviour) => {
    const { engine, port } = await start({ engines: [{ imitates: 'vllm', can: { embeddings: true, chat: true } }] });
    engine.respond(behaviour);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(post(path, JSON.stringify(body)));
    await engine.when(({ posts }) => posts[0]?.received === true);
    await new Promise((resolve) => void setTimeout(resolve, 50));
    const hungUpAt = performance.now();
    socket.destroy();
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
    // A bound, not a measurement: the promise is 100 ms, and this machine may be busy.
    expect((engine.posts[0]?.endedAt ?? Infinity) - hungUpAt).toBeLessThan(100);
  });

  it('is no failure of the backend, and is counted as what it is', async () => {
    const { engine, port, metric, log } = await start();
    engine.respond(stallsAfter(3));
    for (let n = 1; n <= 6; n++) {
      const socket = connect(port, '127.0.0.1');
      socket.write(post('/v1/chat/completions', JSON.stringify({ ...chat, stream: true })));
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
      await engine.when(({ abortsSeen }) => abortsSeen === n);
    }
    await expectNothingHeld(current());
    expect(await metric('switchyard_requests_total', { outcome: 'client_closed', status_class: '2xx' })).toBe(6);
    expect(await metric('switchyard_upstream_attempts_total', { result: 'client_closed' })).toBe(6);
    expect(await metric('switchyard_circuit_state', { state: 'closed' })).toBe(1);
    expect(log.filter(({ outcome }) => outcome === 'client_closed')).toHaveLength(6);
  });

  it('while it sends its body leaves nothing behind', async () => {
    const { engine, port } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write(post('/v1/chat/completions', '').replace('Content-Length: 0', 'Content-Length: 1000'));
    await new Promise((resolve) => void setTimeout(resolve, 50));
    socket.destroy();
    await expectNothingHeld(current());
    expect(engine.posts).toHaveLength(0);
  });

  it('a thousand at once free a thousand connections', async () => {
    const { engine, port } = await start();
    engine.respond(stallsAfter(2));
    const sockets = Array.from({ length: 1_000 }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(post('/v1/chat/completions', JSON.stringify({ ...chat, stream: true })));
      return socket;
    });
    await engine.when(({ inFlight }) => inFlight === 1_000);
    expect(current().service.held().inFlight).toBe(1_000);
    for (const socket of sockets) socket.destroy();
    await engine.when(({ inFlight }) => inFlight === 0);
    await expectNothingHeld(current());
  }, 60_000);
});
