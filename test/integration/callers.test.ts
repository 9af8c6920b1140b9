import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiKey } from '../../src/fleet/fleet.ts';
import { exchangeBytes, post, statusesOf } from '../support/raw-http.ts';
import { expectNothingHeld, type RunningRouter, startRouter } from '../support/running-router.ts';

let open: RunningRouter;
let guarded: RunningRouter;
beforeAll(async () => {
  open = await startRouter({ server: { maxBodyBytes: 100_000 } });
  guarded = await startRouter({
    auth: {
      mode: 'keys',
      keys: [
        key('team', 'sk-team'),
        key('old', 'sk-old', { expiresAtMs: 1 }),
        key('narrow', 'sk-narrow', { models: ['other-*'] }),
      ],
    },
  });
});
afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop()]);
});

function key(tenant: string, secret: string, more: Partial<ApiKey> = {}): ApiKey {
  return { tenant, sha256: createHash('sha256').update(secret).digest('hex'), ...more };
}

const chatBody = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }] });

describe('a key', () => {
  it.each([
    { authorization: 'Bearer sk-team' },
    { authorization: 'bearer sk-team' },
    { 'x-api-key': 'sk-team' },
    { authorization: 'Bearer unused', 'x-api-key': 'sk-team' },
  ])('is taken from %j', async (headers) => {
    expect((await guarded.chat({}, { headers })).status).toBe(200);
  });

  it.each([
    {},
    { authorization: 'Bearer wrong' },
    { authorization: 'Basic sk-team' },
    { authorization: `Bearer ${'x'.repeat(10_000)}` },
    { 'x-api-key': 'sk-old' },
    { 'x-api-key': '' },
  ])('that is missing, malformed, wrong or expired is refused the same way (%.40j)', async (headers) => {
    const response = await guarded.chat({}, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toEqual({
      error: {
        type: 'unauthorized',
        message: 'A valid API key is needed: send "Authorization: Bearer KEY" or "x-api-key: KEY".',
      },
    });
  });

  it('is asked for on every path below /v1, known or not, and before anything else is told', async () => {
    for (const path of ['/v1/models', '/v1/nothing', '/v1/chat/completions', '/v1'])
      expect((await guarded.get(path)).status).toBe(401);
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await guarded.get(path)).status).toBe(200);
  });

  it('is looked at before the body is read', async () => {
    const head = post('/v1/chat/completions', '', ['Expect: 100-continue']).replace(
      'Content-Length: 0',
      'Content-Length: 50000',
    );
    const received = await exchangeBytes(guarded.port, head);
    expect(statusesOf(received)).toEqual([401]);
  });

  it('opens only the models it is for, whether or not they exist', async () => {
    const headers = { 'x-api-key': 'sk-narrow' };
    for (const model of ['test-model', 'no-such-model']) {
      const response = await guarded.chat({ model }, { headers });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ error: { type: 'forbidden' } });
    }
    expect((await guarded.chat({ model: 'other-one' }, { headers })).status).toBe(404);
    expect(await (await guarded.get('/v1/models', { headers })).json()).toEqual({ object: 'list', data: [] });
  });

  it('never shows in logs or answers', async () => {
    await guarded.chat({}, { headers: { authorization: 'Bearer sk-very-secret' } });
    expect(JSON.stringify(guarded.log)).not.toContain('sk-');
    expect(await (await guarded.get('/metrics')).text()).not.toContain('sk-');
  });
});

describe('which error wins', () => {
  const huge = { headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(200_000) };
  it.each([
    ['405 with Allow for a known path and another method', () => open.get('/v1/chat/completions'), 405],
    ['404 for an unknown path, whatever the method', () => open.post('/v1/nothing', huge.body), 404],
    ['415 before 413', () => open.post('/v1/chat/completions', huge.body, { headers: huge.headers }), 415],
    ['413 before 400', () => open.post('/v1/chat/completions', huge.body), 413],
    ['400 before 404 of the model', () => open.post('/v1/chat/completions', '{"model":"nope"'), 400],
  ])('%s', async (_name, ask, status) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('x-switchyard-attempts')).toBe('0');
    expect(response.headers.get('x-switchyard-error-source')).toBe('gateway');
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
  });
});

describe('paths', () => {
  it.each([
    '/v1/../admin',
    '//v1/models',
    '/v1/%2e%2e/metrics',
    '/V1/models',
    '/v1/models/',
    '/v1/chat/completions/',
    '/load',
    '/slots',
    '/update_weights',
    '/v1/load_lora_adapter',
    '/',
  ])('%s leads nowhere and reaches no backend', async (path) => {
    const before = open.engines[0]?.posts.length;
    const received = await exchangeBytes(
      open.port,
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect(statusesOf(received)).toEqual([404]);
    expect(open.engines[0]?.posts.length).toBe(before);
  });

  it('OPTIONS is unknown, HEAD answers as GET without a body', async () => {
    expect((await fetch(`${open.url}/v1/chat/completions`, { method: 'OPTIONS' })).status).toBe(404);
    const head = await fetch(`${open.url}/v1/models`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });
});

describe('a request that two servers could read differently', () => {
  const get = (lines: readonly string[], target = '/v1/models', version = '1.1') =>
    [`GET ${target} HTTP/${version}`, ...lines, '', ''].join('\r\n');
  it.each([
    ['two Host headers', get(['Host: a', 'Host: b'])],
    ['an empty Host', get(['Host: '])],
    ['two Authorization headers', get(['Host: a', 'Authorization: Bearer x', 'Authorization: Bearer y'])],
    ['an absolute target', get(['Host: a'], 'http://a/v1/models')],
    ['both lengths', post('/v1/chat/completions', chatBody, ['Transfer-Encoding: chunked'])],
    ['a transfer encoding on HTTP/1.0', get(['Host: a', 'Transfer-Encoding: chunked'], '/v1/models', '1.0')],
    ['a space before a colon', get(['Host : a'])],
    ['a bare line feed', 'GET /v1/models HTTP/1.1\nHost: a\n\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
  ])('is refused: %s', async (_name, bytes) => {
    const received = await exchangeBytes(open.port, bytes);
    expect(statusesOf(received)).toEqual([400]);
    expect(received).toContain('"type":"invalid_request"');
  });

  it('gets no answer after the one that refuses it', async () => {
    const smuggled = post('/v1/chat/completions', `0\r\n\r\n${post('/v1/chat/completions', chatBody)}`, [
      'Transfer-Encoding: chunked',
    ]);
    expect(statusesOf(await exchangeBytes(open.port, smuggled))).toEqual([400]);
  });
});

describe('limits', () => {
  it('more than 100 headers, or 16 KiB of them, are too many', async () => {
    const many = Array.from({ length: 150 }, (_, n) => `x-${n}: 1`);
    for (const headers of [many, [`x: ${'y'.repeat(20_000)}`]]) {
      const received = await exchangeBytes(open.port, post('/v1/chat/completions', chatBody, headers));
      expect(statusesOf(received)).toEqual([431]);
      expect(received).toContain('"type":"invalid_request"');
    }
  });

  it('a body over the limit is refused by its declared length, and by its bytes', async () => {
    const declared = post('/v1/chat/completions', '').replace('Content-Length: 0', 'Content-Length: 100001');
    expect(statusesOf(await exchangeBytes(open.port, declared))).toEqual([413]);
    const chunk = `${(60_000).toString(16)}\r\n${' '.repeat(60_000)}\r\n`;
    const chunked = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`;
    const received = await exchangeBytes(open.port, chunked);
    expect(statusesOf(received)).toEqual([413]);
    expect(received).toContain('request_too_large');
    expect(received.toLowerCase()).toContain('connection: close');
  });

  it("an expectation that can't be met is refused", async () => {
    const received = await exchangeBytes(open.port, post('/v1/chat/completions', chatBody, ['Expect: magic']));
    expect(statusesOf(received)).toEqual([417]);
  });

  it('a caller that asks first is told to go on, and served', async () => {
    const received = await exchangeBytes(open.port, post('/v1/chat/completions', chatBody, ['Expect: 100-continue']));
    expect(statusesOf(received)).toEqual([100, 200]);
  });

  it('10,000 invented models leave no trace in the metrics', async () => {
    const series = async () =>
      (await (await open.get('/metrics')).text()).split('\n').filter((line) => line.startsWith('switchyard_')).length;
    await open.chat({ model: 'invented' });
    const before = await series();
    for (let n = 0; n < 10_000; n += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, k) => open.chat({ model: `invented-${n + k}` }).then((r) => r.body?.cancel())),
      );
    expect(await series()).toBe(before);
    await expectNothingHeld(open);
  }, 60_000);
});

describe('what the gateway says of a request', () => {
  it('is one log line with the words of the headers', async () => {
    const response = await open.chat({}, { headers: { 'x-request-id': 'log-me' } });
    expect(response.headers.get('x-request-id')).toBe('log-me');
    await response.text();
    const lines = open.log.filter((line) => line.request_id === 'log-me');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      endpoint: 'chat-completions',
      model: 'test-model',
      backend: 'b0',
      attempts: 1,
      outcome: 'ok',
      status: 200,
      tenant: 'anonymous',
      output_tokens: 3,
    });
  });

  it('takes no request id that could break a header or a log', async () => {
    const response = await open.chat({}, { headers: { 'x-request-id': 'a b"c' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('never holds a word of the prompt', async () => {
    await open.chat({ messages: [{ role: 'user', content: 'my-secret-prompt' }], model: 'unknown' });
    await open.post('/v1/chat/completions', '{"model":"test-model","messages":[{"content":"my-secret-prompt" oops');
    expect(JSON.stringify(open.log)).not.toContain('my-secret-prompt');
  });
});
