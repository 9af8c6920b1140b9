// Whatever headers come from either side: only those on the lists pass, and no byte of a value becomes a line of its own.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReservedHeader } from '../../src/wire/reserved-headers.ts';
import { exchangeBytes, post } from '../support/raw-http.ts';
import { routerPerTest } from '../support/running-router.ts';
import { raw } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();

const body = JSON.stringify({ model: 'test-model', messages: [] });
const tokens = fc.string({
  unit: fc.constantFrom(...'abcxyzABC019!#$%&*+-.^_`|~'.split('')),
  minLength: 1,
  maxLength: 12,
});
/** What may stand in a value on the wire: visible ASCII, blanks, and bytes that are not ASCII. */
const values = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)), {
    maxLength: 24,
  })
  .map((bytes) => Buffer.from(bytes).toString('latin1'));
const euro = Buffer.from('€').toString('latin1');

const forwarded = ['content-type', 'accept', 'user-agent', 'traceparent', 'tracestate', 'x-session'];
const own = ['host', 'connection', 'content-length', 'x-request-id', 'accept-encoding', 'x-switchyard-hop'];
const neverSent = [
  'authorization',
  'Proxy-Authorization',
  'proxy-connection',
  'Cookie',
  'x-api-key',
  'TE',
  'Trailer',
  'Keep-Alive',
  'Upgrade',
  'Origin',
  'Sec-Fetch-Mode',
  'x-conversation-id',
  'content-encoding',
];
const callers = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom('Accept', 'User-Agent', 'traceparent', 'TraceState', 'X-Session', 'x-request-id'),
        tokens,
        fc.constantFrom(...neverSent.filter((name) => !/upgrade|encoding|te$/i.test(name))),
      ),
      values,
    ),
    { maxLength: 10 },
  )
  .filter((headers) => headers.filter(([name]) => name === 'authorization').length < 2);

describe('headers of a caller', () => {
  it('reach a backend only where they may, with the bytes they had', async () => {
    const forwardHeaders = ['x-session', ...neverSent.map((name) => name.toLowerCase())];
    const { engine, port } = await start({ server: { forwardHeaders } });
    await fc.assert(
      fc.asyncProperty(callers, async (headers) => {
        const lines = headers.map(([name, value]) => `${name}: ${value}`);
        const received = await exchangeBytes(
          port,
          Buffer.from(post('/v1/chat/completions', body, [...lines, 'Connection: close']), 'latin1'),
        );
        expect(received).toMatch(/^HTTP\/1\.1 200 /);
        const sent = engine.posts.at(-1)?.rawHeaders ?? [];
        const names = sent.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
        expect(names.filter((name) => !forwarded.includes(name) && !own.includes(name))).toEqual([]);
        expect(names.filter((name) => isReservedHeader(name) && !own.includes(name))).toEqual([]);
        expect(new Set(names).size).toBe(names.length);
        const session = headers
          .filter(([name]) => name.toLowerCase() === 'x-session')
          .map(([, value]) => blankless(value));
        expect(engine.posts.at(-1)?.headers['x-session']).toBe(
          session.length === 0 ? undefined : blankless(session.join(', ')),
        );
      }),
      { numRuns: 250 },
    );
  });

  it('that are none cost a 400, and nothing is sent', async () => {
    const { engine, port } = await start();
    const bad = ['a: b\rx: y', 'a: b\0', ' folded: x', 'a b: c', 'x: 1\r\n y', ': c', 'a\u00e9: b', 'x: \u007f'];
    const before = engine.posts.length;
    for (const line of bad) {
      const received = await exchangeBytes(
        port,
        Buffer.from(post('/v1/chat/completions', body, [line, 'Connection: close']), 'latin1'),
      );
      expect([line, received.startsWith('HTTP/1.1 400 ')]).toEqual([line, true]);
    }
    expect(engine.posts.length).toBe(before);
  });
});

/** As HTTP reads a value: blanks around it are no part of it. */
function blankless(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}

const passed = new Set(['content-type', 'cache-control', 'retry-after']);
const routers =
  /^(date|connection|keep-alive|content-length|transfer-encoding|x-request-id|x-accel-buffering|x-should-retry|server-timing|x-switchyard-.*)$/;
const plain = JSON.stringify({ choices: [{ message: { content: 'x' }, finish_reason: 'stop' }] });
const stream = 'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n';
const backends = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constantFrom(
        'Content-Type',
        'Cache-Control',
        'Retry-After',
        'Set-Cookie',
        'Location',
        'Server',
        'X-Request-Id',
        'x-switchyard-backend',
        'server-timing',
        'Access-Control-Allow-Origin',
        'Keep-Alive',
        'Upgrade',
        'Trailer',
        'Alt-Svc',
        'WWW-Authenticate',
      ),
      tokens,
    ),
    fc.oneof(
      values,
      fc.constantFrom(
        'application/json',
        'text/event-stream',
        `text/plain; x=${euro}`,
        '5',
        '',
        'a\rb',
        'a\0b',
        'a\r\n b',
        '\u007f',
      ),
    ),
  ),
  { maxLength: 8 },
);

describe('headers of a backend', () => {
  it('reach a caller only where they may, and never cost the answer', async () => {
    const { engine, port, chat } = await start({ engines: [{ imitates: 'vllm', backend: { circuit: neverOpens } }] });
    // None that lets a backend ask to be left alone: the next request would not be sent.
    const status = fc.constantFrom('200 OK', '200 OK', '400 Bad Request', '404 Not Found', '500 Oh', '413 Too Much');
    await fc.assert(
      fc.asyncProperty(status, fc.boolean(), backends, async (statusLine, streamed, headers) => {
        const content = statusLine.startsWith('200') && streamed ? stream : plain;
        const type = content === stream ? 'text/event-stream' : 'application/json';
        const lines = [`Content-Type: ${type}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
        const head = [`HTTP/1.1 ${statusLine}`, ...lines, `Content-Length: ${content.length}`, '', ''].join('\r\n');
        engine.respond(raw(Buffer.from(head + content, 'latin1')));
        const request = post('/v1/chat/completions', JSON.stringify({ ...JSON.parse(body), stream: streamed }), [
          'Connection: close',
        ]);
        const received = await exchangeBytes(port, request);
        const [said = '', ...fields] = received.slice(0, received.indexOf('\r\n\r\n')).split('\r\n');
        expect(said).toMatch(/^HTTP\/1\.1 (200|4\d\d|50[0-4]) [A-Za-z ]+$/);
        expect(said).not.toMatch(/^HTTP\/1\.1 500 (?!Internal)/);
        const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
        expect(names.filter((name) => !passed.has(name) && !routers.test(name))).toEqual([]);
        expect(new Set(names).size).toBe(names.length);
        expect(fields.filter((field) => /[\r\n\0]/.test(field))).toEqual([]);
        expect(fields.join('\n')).toMatch(/x-switchyard-backend: b0$/m);
        expect(received).not.toContain('"internal"');
      }),
      { numRuns: 250 },
    );
    engine.respond([]);
    expect((await chat()).status).toBe(200);
  });
});

const neverOpens = {
  consecutive: 1e9,
  windowMs: 1_000,
  minRequests: 1e9,
  failureRatio: 1,
  openForMs: 1,
  growth: 1,
  openMaxMs: 1,
};
