import { beforeEach, describe, expect, it } from 'vitest';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import type { Ending, RouterProcess } from '../support/router-process.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';
import { statusesOf } from '../support/raw-http.ts';
import { chat, readAll, streamOver } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine: startEngine, file, serve, wire } = systemTest();
const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

let engine: ScriptedEngine;
beforeEach(async () => {
  engine = await startEngine();
});

/** Delays and timeouts as in a fleet file; probes so rare that they don't show. */
async function start(times: { readonly delay: string; readonly timeout: string }): Promise<RouterProcess> {
  const { delay, timeout } = times;
  const server = `{ drain_delay: ${delay}, drain_timeout: ${timeout} }`;
  return serve(['-c', file(`version: 1\nserver: ${server}\nbackends: [{ url: ${engine.url} }]\n`)]);
}

function stop(router: RouterProcess): Promise<Ending> {
  router.signal('SIGTERM');
  return router.ended;
}

/** Long enough that everything a test looks at happens while it runs. */
const longStream = answer({ pieces: [...Array<string>(29).fill('word '), secrets.answer], gapMs: 100 });

async function stoppedListening({ url }: RouterProcess): Promise<void> {
  const refused = async () =>
    fetch(`${url}/livez`).then(
      (response) => response.text(),
      () => 'refused',
    );
  await expect.poll(refused, { interval: 20, timeout: 20_000 }).toBe('refused');
}

describe('a router told to stop while a stream runs', () => {
  it('says that it is not ready, closes what it answers, and finishes the stream', async () => {
    const router = await start({ delay: '1s', timeout: '60s' });
    engine.respond(longStream);
    const stream = await chat(router, { stream: true });
    const whole = readAll(stream);
    router.signal('SIGTERM');
    await router.when(({ stderr }) => stderr.includes('"stopping"'));

    const ready = await fetch(`${router.url}/readyz`);
    expect({ status: ready.status, connection: ready.headers.get('connection') }).toEqual({
      status: 503,
      connection: 'close',
    });
    expect(await ready.json()).toEqual({ error: { type: 'draining', message: expect.any(String) } });
    const alive = await fetch(`${router.url}/livez`);
    expect({ status: alive.status, connection: alive.headers.get('connection') }).toEqual({
      status: 200,
      connection: 'close',
    });
    engine.respond([]);
    const late = await chat(router);
    expect({ status: late.status, connection: late.headers.get('connection') }).toEqual({
      status: 200,
      connection: 'close',
    });

    const { events, text, broken } = await whole;
    expect({ broken, last: events.at(-1), words: text.match(/word /g)?.length }).toEqual({
      broken: false,
      last: '[DONE]',
      words: 29,
    });
    expect(text).toContain(secrets.answer);
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(router.log.at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('still serves what comes on an old connection once it no longer listens, and closes it', async () => {
    const router = await start({ delay: '0s', timeout: '60s' });
    const old = await wire(router.port);
    old.send('GET /v1/models HTTP/1.1\r\nhost: x\r\n');
    // The half request must have arrived, or the connection would be one that is not in use.
    await fetch(`${router.url}/livez`);
    router.signal('SIGTERM');
    await stoppedListening(router);
    old.send('\r\n');
    await old.when(({ received }) => received.includes('test-model'));
    expect(statusesOf(old.received)).toEqual([200]);
    expect(old.received).toMatch(/\r\nconnection: close\r\n/i);
    expect(await router.ended).toEqual({ code: 0, signal: null });
  });

  it('answers the next request on the connection of a stream that ended meanwhile, and closes it then', async () => {
    const router = await start({ delay: '0s', timeout: '60s' });
    const old = await wire(router.port);
    engine.respond(answer({ count: 10, gapMs: 100 }));
    old.send(streamOver());
    await old.when(({ received }) => received.includes('t2 '));
    router.signal('SIGTERM');
    await stoppedListening(router);
    await old.when(({ received }) => received.includes('data: [DONE]'));
    old.send(get('/v1/models'));
    await old.when(({ received }) => received.includes('"object":"list"'));
    expect(statusesOf(old.received)).toEqual([200, 200]);
    expect(old.received.slice(old.received.lastIndexOf('HTTP/1.1'))).toMatch(/\r\nconnection: close\r\n/i);
    expect(await router.ended).toEqual({ code: 0, signal: null });
  });

  it('has drain_timeout from the signal on, the delay included', async () => {
    const router = await start({ delay: '2s', timeout: '2s' });
    engine.respond(stallsAfter(3));
    const stream = readAll(await chat(router, { stream: true }));
    router.signal('SIGTERM');
    const { events, broken } = await stream;
    expect({ broken, last: JSON.parse(events.at(-1) ?? '') }).toMatchObject({
      broken: true,
      last: { error: { type: 'draining' } },
    });
    expect(await router.ended).toEqual({ code: 0, signal: null });
  });

  it('refuses new requests on old connections when the end is near', async () => {
    // All of a timeout below 5 s is near its end.
    const router = await start({ delay: '0s', timeout: '4s' });
    engine.respond(longStream);
    const old = await wire(router.port);
    old.send(streamOver());
    await old.when(({ received }) => received.includes('word '));
    router.signal('SIGTERM');
    await stoppedListening(router);
    old.send(get('/v1/models'));
    await old.when(({ received }) => received.includes('draining'));
    expect(statusesOf(old.received)).toEqual([200, 503]);
    const [first = '', second = ''] = old.received.split('HTTP/1.1 503');
    expect(first).toContain('data: [DONE]');
    expect(second).toMatch(/\r\nx-should-retry: true\r\n/i);
    expect(second).toMatch(/\r\nconnection: close\r\n/i);
    expect(second).toContain('{"error":{"type":"draining","message":"');
    expect(await router.ended).toEqual({ code: 0, signal: null });
  });

  it('ends what still runs at drain_timeout with an error event, and no [DONE]', async () => {
    const router = await start({ delay: '0s', timeout: '500ms' });
    engine.respond(stallsAfter(3, { pieces: ['one ', 'two ', 'three ', 'four '] }));
    const stream = readAll(await chat(router, { stream: true }));
    router.signal('SIGTERM');
    const { events, text, broken } = await stream;
    expect(broken).toBe(true);
    expect(text).toContain('two ');
    expect(text).not.toContain('[DONE]');
    expect(JSON.parse(events.at(-1) ?? '')).toEqual({ error: { type: 'draining', message: expect.any(String) } });
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(engine.abortsSeen).toBe(1);
    const requests = router.log.filter((line) => JSON.stringify(line).includes('"request_id"'));
    expect(requests).toMatchObject([{ outcome: 'draining', stream: true }]);
  });

  it('answers what has not begun by drain_timeout with 503 and that it should be tried again', async () => {
    const router = await start({ delay: '0s', timeout: '500ms' });
    engine.respond(hang());
    const reply = chat(router);
    await engine.when(({ inFlight }) => inFlight === 1);
    router.signal('SIGTERM');
    const { status, headers } = await reply;
    expect({ status, retry: headers.get('x-should-retry') }).toEqual({ status: 503, retry: 'true' });
    expect(await router.ended).toEqual({ code: 0, signal: null });
    expect(engine.abortsSeen).toBe(1);
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGINT'],
  ] as const)('goes at once when %s is followed by %s', async (first, second) => {
    const router = await start({ delay: '300s', timeout: '3000s' });
    engine.respond(stallsAfter(3));
    const stream = readAll(await chat(router, { stream: true }));
    router.signal(first);
    await router.when(({ stderr }) => stderr.includes('"stopping"'));
    router.signal(second);
    expect(await router.ended).toEqual({ code: 1, signal: null });
    expect((await stream).broken).toBe(true);
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
  });
});

describe('a router with nothing to do', () => {
  const times = { delay: '0s', timeout: '3000s' };
  let router: RouterProcess;
  beforeEach(async () => {
    router = await start(times);
  });

  it('is not held by connections that are kept alive', async () => {
    const idle = await Promise.all(Array.from({ length: 5 }, () => wire(router.port)));
    for (const one of idle) one.send(get('/livez'));
    await Promise.all(idle.map((one) => one.when(({ received }) => received.includes('alive'))));
    expect(idle.map(({ closed }) => closed)).toEqual([false, false, false, false, false]);
    expect(await stop(router)).toEqual({ code: 0, signal: null });
  });

  it('is not held by the connection of a stream that has ended', async () => {
    const old = await wire(router.port);
    engine.respond(answer({ count: 10, gapMs: 100 }));
    old.send(streamOver());
    await old.when(({ received }) => received.includes('t2 '));
    expect(await stop(router)).toEqual({ code: 0, signal: null });
    expect(old.received).toContain('data: [DONE]');
  });

  it('is not held by connections that were never used', async () => {
    await wire(router.port);
    await fetch(`${router.url}/livez`);
    expect(await stop(router)).toEqual({ code: 0, signal: null });
  }, 15_000);

  it('is not held by a request that never arrives whole', async () => {
    const slow = await wire(router.port);
    slow.send('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n');
    await fetch(`${router.url}/livez`);
    expect(await stop(router)).toEqual({ code: 0, signal: null });
  }, 15_000);

  it('is not held by a backend that does not answer its probes', async () => {
    engine.override('/health', hang());
    engine.override('/v1/models', hang());
    const other = await start(times);
    expect(await stop(other)).toEqual({ code: 0, signal: null });
  });
});
