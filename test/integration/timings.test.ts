// Every answer tells where its time went, in a header and in the access log, with the same words.
import { describe, expect, it, vi } from 'vitest';
import { routerPerTest } from '../support/running-router.ts';
import { fault, stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

/** `route;dur=0.4, connect;dur=1` as milliseconds by name. */
function timingOf(response: Response): Readonly<Record<string, number>> {
  const entries = (response.headers.get('server-timing') ?? '').split(', ').map((entry) => {
    const [, name = entry, ms] = /^([a-z]+);dur=(\d+(?:\.\d{1,2})?)$/.exec(entry) ?? [];
    return [name, Number(ms)] as const;
  });
  return Object.fromEntries(entries);
}

const always = ['x-request-id', 'x-switchyard-backend', 'x-switchyard-attempts', 'x-switchyard-model', 'server-timing'];

describe('server-timing', () => {
  it.each([false, true])('tells of a request with "stream": %s what was spent on what', async (stream) => {
    const { chat, log } = await start();
    const response = await chat({ stream });
    await response.text();
    const { route, connect, ttft } = timingOf(response);
    expect(Object.keys(timingOf(response))).toEqual(['route', 'connect', 'ttft']);
    expect(Number(route) + Number(connect)).toBeLessThanOrEqual(Number(ttft));
    expect(log.at(-1)).toMatchObject({ route_ms: route, connect_ms: connect, ttft_ms: Math.round(Number(ttft)) });
  });

  it('tells first how long a slot was waited for', async () => {
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 1, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const stream = await router.chat({ stream: true }, { signal: gone.signal });
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held()).toMatchObject({ waiting: 1 }));
    gone.abort();
    await stream.text().catch(() => '');
    expect(Object.keys(timingOf(await waiting))).toEqual(['queue', 'route', 'connect', 'ttft']);
  });

  it("stands on a backend's own error as on ours, without a first byte of an answer", async () => {
    const { chat, engine } = await start();
    engine.respond([fault('overflow')]);
    const refused = await chat();
    expect([refused.status, Object.keys(timingOf(refused))]).toEqual([400, ['route', 'connect']]);
    expect(Object.keys(timingOf(await chat({ model: 'nobody' })))).toEqual(['route']);
  });
});

describe('every answer below /v1', () => {
  it.each([
    ['GET', '/v1/models', undefined, 200],
    ['GET', '/v1/models/nobody', undefined, 404],
    ['GET', '/v1/nothing', undefined, 404],
    ['DELETE', '/v1/models', undefined, 405],
    ['POST', '/v1/chat/completions', '{', 400],
    ['POST', '/v1/chat/completions', '{"model":"nobody","messages":[{"role":"user","content":"hi"}]}', 404],
    ['POST', '/v1/chat/completions', '{"model":"test-model","messages":[{"role":"user","content":"hi"}]}', 200],
  ])('to %s %s explains itself', async (method, path, body, status) => {
    const { url } = await start();
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, body === undefined ? { method } : { method, body, headers });
    expect(response.status).toBe(status);
    expect(always.filter((name) => !response.headers.has(name))).toEqual([]);
    expect(response.headers.get('x-switchyard-error-source')).toBe(status < 400 ? null : 'gateway');
    expect(timingOf(response)['route']).toBeGreaterThanOrEqual(0);
  });
});
