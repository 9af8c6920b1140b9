// What callers send that no SDK would: each is answered as what it is, and nothing of it reaches a backend.
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badValues } from '../support/bad-json.ts';
import { exchangeBytes, post, statusesOf } from '../support/raw-http.ts';
import { type RunningRouter, startRouter } from '../support/running-router.ts';
import { answer } from '../support/scripted/behaviours.ts';

let router: RunningRouter;
let guarded: RunningRouter;
beforeAll(async () => {
  const sha256 = createHash('sha256').update('sk-team').digest('hex');
  [router, guarded] = await Promise.all([
    startRouter({ headTimeoutMs: 400, bodyTimeoutMs: 400 }),
    startRouter({ auth: { mode: 'keys', keys: [{ tenant: 'team', sha256 }] } }),
  ]);
});
afterAll(async () => {
  await Promise.all([router.stop(), guarded.stop()]);
});

const chat = '/v1/chat/completions';
const good = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }] });

/** Statuses of what came back; and nothing of it has reached a backend. */
async function refused(bytes: string | Buffer, { port } = router): Promise<readonly number[]> {
  const before = router.engine.posts.length + guarded.engine.posts.length;
  const received = await exchangeBytes(port, bytes);
  expect(router.engine.posts.length + guarded.engine.posts.length).toBe(before);
  expect(received).not.toContain('    at ');
  return statusesOf(received);
}

describe('a body that is no JSON object', () => {
  it('is told so, whatever is wrong with it', async () => {
    const before = router.engine.posts.length;
    const statuses = new Map<string, number>();
    for (const text of badValues) {
      for (const body of [text, `{"model":"test-model","messages":${text}}`]) {
        const response = await router.post(chat, body);
        statuses.set(body, response.status);
        expect(await response.json()).toMatchObject({ error: { type: 'invalid_request' } });
      }
    }
    expect([...statuses].filter(([, status]) => status !== 400)).toEqual([]);
    expect(router.engine.posts.length).toBe(before);
  });

  it.each(['', ' ', 'null', 'true', '42', '"text"', '[]', '[{}]', '{}'])('is told so: %j', async (body) => {
    expect(await refused(post(chat, body))).toEqual([400]);
  });

  it('is refused when it is too deep or has too many or too long names', async () => {
    const keys = Array.from({ length: 1_000_000 }, (_, n) => `"${n}":1`).join();
    for (const body of [
      `{"a":${'['.repeat(100_000)}`,
      '['.repeat(100_000),
      `{"a":${'{"b":'.repeat(100_000)}1${'}'.repeat(100_001)}`,
      `{"model":"test-model",${keys}}`,
      `{"model":"test-model","${'k'.repeat(200_000)}":1}`,
    ]) {
      expect((await router.post(chat, body)).status).toBe(400);
    }
  });

  it('is refused when it is not UTF-8', async () => {
    const [head = '', tail = ''] = post(chat, good)
      .replace(/Length: \d+/, `Length: ${good.length + 1}`)
      .split('hi');
    for (const byte of [0xff, 0xc0, 0x80, 0xed]) {
      const bytes = Buffer.concat([Buffer.from(`${head}hi`), Buffer.from([byte]), Buffer.from(tail)]);
      expect(await refused(bytes)).toEqual([400]);
    }
  });
});

describe('a body with oddities that JSON allows', () => {
  it.each([
    ['a byte order mark', `\uFEFF${good}`],
    ['NUL and lone surrogates', good.replace('hi', '\\u0000\\ud800\\udc00\\udfff')],
    [
      'names of the prototype',
      good.replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{}},"toString":1,'),
    ],
  ])('reaches the backend byte for byte: %s', async (_name, body) => {
    router.engine.respond(answer());
    expect((await router.post(chat, body)).status).toBe(200);
    expect(router.engine.posts.at(-1)?.body.toString()).toBe(body);
    expect({}).not.toHaveProperty('polluted');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'is for a model like any other, which nobody has: %s',
    async (model) => {
      expect((await router.chat({ model })).status).toBe(404);
      expect((await router.get(`/v1/models/${model}`)).status).toBe(404);
    },
  );

  it.each([
    '{"model":"a","model":"b"}',
    '{"model":"a","mod\\u0065l":"b"}',
    '{"messages":[],"messages":[],"model":"a"}',
  ])('is refused where it says twice what decides: %s', async (body) => {
    expect(await refused(post(chat, body))).toEqual([400]);
  });
});

describe('a head', () => {
  const authorization = 'Authorization: Bearer sk-team';

  it('with two credentials is refused even if both are good', async () => {
    expect(await refused(post(chat, good, [authorization, authorization]), guarded)).toEqual([400]);
    expect(statusesOf(await exchangeBytes(guarded.port, post(chat, good, [authorization])))).toEqual([200]);
  });

  it('may have a hundred fields and not one more', async () => {
    const fields = (count: number) => Array.from({ length: count - 3 }, (_, n) => `x-${n}: 1`);
    expect(statusesOf(await exchangeBytes(router.port, post(chat, good, fields(100))))).toEqual([200]);
    for (const count of [101, 102, 500, 1_500]) expect(await refused(post(chat, good, fields(count)))).toEqual([431]);
  });

  it.each(['/v1/models#fragment', '/livez#', '/v1/chat/completions#?'])(
    'with a target that Node reads as another one is refused: %s',
    async (target) => {
      expect(await refused(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toEqual([400]);
    },
  );

  it.each([
    ['/v1\\models', 404],
    ['/v1/models/..', 404],
    ['/v1/models/%2e%2e%2fmetrics', 404],
    ['/v1/./models', 404],
    ['/v1/%6dodels', 404],
    ['/v1/models/%ff', 400],
  ])('with a target of many meanings has only the one that was sent: %s', async (target, status) => {
    expect(await refused(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toEqual([status]);
  });

  it.each([
    ['multipart/form-data; boundary=x', []],
    ['multipart/form-data', []],
    ['application/x-www-form-urlencoded', []],
    ['text/plain', []],
    ['', []],
    ['application/json', ['Content-Encoding: gzip']],
  ])('is refused for a body of another kind: %j %j', async (type, more) => {
    const bytes = post(chat, good, more).replace('application/json', type);
    expect(await refused(bytes)).toEqual([415]);
  });

  it.each([
    '/metrics',
    '/load',
    '/slots',
    '/props',
    '/shutdown',
    '/update_weights',
    '/flush_cache',
    '/api/pull',
    '/v1/load_lora_adapter',
  ])('for a path of an engine finds nothing, or what the router has there itself: %s', async (path) => {
    const [status] = await refused(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    expect(status).toBe(path === '/metrics' ? 405 : 404);
  });
});

describe('callers that take their time', () => {
  /** What came back on each of many sockets that sent the same and then nothing, until they were closed. */
  async function silent(count: number, bytes: string): Promise<readonly string[]> {
    const ended = Array.from({ length: count }, () => {
      const socket: Socket = connect(router.port, '127.0.0.1');
      socket.setEncoding('latin1').on('error', () => {});
      let received = '';
      socket.on('data', (text: string) => (received += text));
      socket.write(bytes);
      return new Promise<string>((resolve) => void socket.once('close', () => resolve(received)));
    });
    // Meanwhile others are served.
    expect((await router.chat()).status).toBe(200);
    return Promise.all(ended);
  }

  it.each([
    ['head', 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-Slow: '],
    ['body', post(chat, '{').replace('Length: 1', 'Length: 1000')],
  ])('with their %s are told so and closed, and hinder nobody', async (_what, bytes) => {
    const received = await silent(200, bytes);
    expect(new Set(received.map((text) => statusesOf(text).join()))).toEqual(new Set(['408']));
    expect(received.every((text) => text.includes('"type":"invalid_request"'))).toBe(true);
    expect(received.every((text) => /connection: close/i.test(text))).toBe(true);
  });
});
