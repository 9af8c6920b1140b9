// What callers send as bodies: rows 45 to 53, 59 and 60 of the matrix. What is refused never reaches a backend; what is
// not arrives there byte for byte.
import { expect } from 'vitest';
import { post, statusesOf } from '../support/raw-http.ts';
import { badJson, noObjects } from '../support/bad-json.ts';
import { faultMatrix } from './matrix.ts';
import { several } from './several.ts';
import { type Answer, limitedKey, type Stand } from './stand.ts';

const { fault, wire } = faultMatrix();

async function askEach(stand: Stand, bodies: readonly (string | Uint8Array<ArrayBuffer>)[]): Promise<Answer[]> {
  return several(bodies.length, 8, (n) => stand.ask({}, { body: bodies[n] ?? '' }));
}

function kinds(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, errorType } of answers) {
    const kind = `${status} ${errorType ?? ''}`.trim();
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

const textOf = (content: string): string => `{"model":"test-model","messages":[{"role":"user","content":${content}}]}`;

fault(
  {
    row: 45,
    when: 'a body over the limit: declared, chunked, without an end',
    expected: '413 request_too_large, closed, not read to its end, nothing upstream',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{ contextTokens: 1_000_000 }], server: { max_body: '64KiB' } });
    const head = ['POST /v1/chat/completions HTTP/1.1', 'host: x', 'content-type: application/json'];
    const piece = 'x'.repeat(65_536);
    for (const [name, framing, bytes] of [
      ['declared', 'content-length: 1000000000', piece],
      ['chunked', 'transfer-encoding: chunked', `10000\r\n${piece}\r\n`],
    ] as const) {
      const caller = await wire(stand.router.port);
      stand.sent += 1;
      caller.send([...head, framing, '', ''].join('\r\n'));
      // Would go on for ever.
      let written = 0;
      for (; !caller.closed && written < 20_000; written++) {
        caller.send(bytes);
        await new Promise((resolve) => void setTimeout(resolve, 5));
      }
      expect([name, statusesOf(caller.received), caller.closed]).toEqual([name, [413], true]);
      expect(caller.received).toContain('"type":"request_too_large"');
      expect(caller.received).toMatch(/\r\nconnection: close\r\n/i);
      on.saw(`${name}: 413, closed after ${written} pieces`);
    }
    const small = await stand.ask({}, { body: textOf(`"${'x'.repeat(60_000)}"`) });
    const large = await stand.ask({}, { body: textOf(`"${'x'.repeat(70_000)}"`) });
    expect([small.status, large.status, large.errorType]).toEqual([200, 413, 'request_too_large']);
    expect(stand.posts).toHaveLength(1);
  },
);

fault(
  {
    row: 47,
    when: `${badJson.length} bodies that are no JSON, ${noObjects.length} that are no object`,
    expected: '400 invalid_request with the position, nothing upstream',
  },
  async (on) => {
    const stand = await on.stand();
    const broken = await askEach(stand, badJson);
    const wrong = broken.flatMap(({ status, errorType, text }, n) => {
      const placed = badJson[n]?.replace('\ufeff', '').trim() === '' || /line \d+, column \d+/.test(text);
      return status === 400 && errorType === 'invalid_request' && placed ? [] : [[badJson[n], status, text]];
    });
    expect(wrong).toEqual([]);
    const values = await askEach(stand, noObjects);
    expect(kinds(values)).toEqual({ '400 invalid_request': noObjects.length });
    expect(stand.posts).toHaveLength(0);
    on.saw(kinds([...broken, ...values]));
  },
);

fault(
  {
    row: 48,
    when: 'depth 100,000, a million keys, keys of 200,000 characters, two million elements',
    expected: '400 invalid_request, nothing upstream, others are served meanwhile',
  },
  async (on) => {
    const stand = await on.stand();
    const head = '{"model":"test-model","messages":[],"x":';
    const keys = Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":0`).join(',');
    const longKey = `{"${'k'.repeat(200_000)}":1}`;
    const bodies = {
      'deep lists': `${head}${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'deep objects': `${head}${'{"a":'.repeat(100_000)}0${'}'.repeat(100_000)}}`,
      'deep and cut': `${head}${'['.repeat(100_000)}`,
      'a list of depth': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      'a million keys': `{"model":"test-model",${keys}}`,
      'a million keys inside': `${head}{${keys}}}`,
      'a long key': `{"model":"test-model","${'k'.repeat(200_000)}":1}`,
      'a long key inside': `${head}${longKey}}`,
      'two million elements': `${head}[${'0,'.repeat(2_000_000)}0]}`,
      'a million objects': `${head}[${'{},'.repeat(1_000_000)}0]}`,
    };
    const seen: Record<string, number> = {};
    for (const [name, body] of Object.entries(bodies)) {
      const startedMs = performance.now();
      const [refused, other] = await Promise.all([stand.ask({}, { body }), stand.ask()]);
      expect([name, refused.status, refused.errorType]).toEqual([name, 400, 'invalid_request']);
      expect(other.status).toBe(200);
      seen[name] = Math.round(performance.now() - startedMs);
    }
    expect(stand.posts).toHaveLength(Object.keys(bodies).length);
    on.saw('400 each', { ms: seen });
  },
);

fault(
  {
    row: 49,
    when: 'two members "model", also written with escapes, and other members that decide',
    expected: '400 invalid_request, nothing upstream',
  },
  async (on) => {
    const stand = await on.stand();
    const bodies = [
      '{"model":"test-model","model":"other","messages":[]}',
      '{"model":"test-model","messages":[],"mod\\u0065l":"other"}',
      '{"\\u006dodel":"other","model":"test-model","messages":[]}',
      '{"model":"test-model","messages":[],"model":{"model":1}}',
      '{"model":"test-model","stream":false,"stream":true,"messages":[]}',
      '{"model":"test-model","messages":[],"messages":[]}',
      '{"model":"test-model","messages":[],"max_tokens":1,"max_tokens":100000}',
    ];
    const seen = await askEach(stand, bodies);
    expect(kinds(seen)).toEqual({ '400 invalid_request': bodies.length });
    expect(stand.posts).toHaveLength(0);
    // Deeper down, and where nothing is decided by it, it is the backend's affair.
    const fine = [
      '{"model":"test-model","messages":[],"user":"a","user":"b"}',
      '{"messages":[{"role":"user","content":"a","model":"x","model":"y"}],"model":"test-model"}',
    ];
    const passed = await askEach(stand, fine);
    expect(kinds(passed)).toEqual({ '200': fine.length });
    on.saw(kinds(seen), { deeper: kinds(passed) });
  },
);

const latin = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'latin1'));

fault(
  {
    row: 50,
    when: 'invalid UTF-8; lone surrogates, NUL, non-characters, a byte order mark',
    expected: 'invalid UTF-8: 400; the others arrive byte for byte',
  },
  async (on) => {
    const stand = await on.stand();
    const invalid = [
      '\xff',
      '\xc0\xaf',
      '\xed\xa0\x80',
      '\xf4\x90\x80\x80',
      '\xe2\x82',
      '\x80',
      '\xf8\x88\x80\x80\x80',
      '\xc3',
    ];
    const refused = await askEach(
      stand,
      invalid.map((bytes) => latin(textOf(`"${bytes}"`))),
    );
    expect(kinds(refused)).toEqual({ '400 invalid_request': invalid.length });
    expect(stand.posts).toHaveLength(0);
    const texts = [
      textOf('"\\ud800"'),
      textOf('"\\udc00\\ud800"'),
      textOf('"a\\u0000b"'),
      textOf('"\uffff\ufdd0"'),
      textOf('"\u202e\u200b"'),
      `\ufeff${textOf('"x"')}`,
      textOf('"😀é\u2028"'),
      ` \n\t${textOf('"x"')} \r\n`,
    ];
    const passed = await askEach(stand, texts);
    expect(kinds(passed)).toEqual({ '200': texts.length - 1, '400 Bad Request': 1 });
    const arrived = stand.engine(0).posts.map(({ body }) => body.toString('latin1'));
    const sent = texts.map((text) => Buffer.from(text).toString('latin1'));
    expect(arrived.toSorted((a, b) => a.localeCompare(b))).toEqual(sent.toSorted((a, b) => a.localeCompare(b)));
    // vLLM itself refuses the byte order mark, and its word passes.
    const marked = passed[5];
    expect([marked?.status, marked?.headers.get('x-switchyard-error-source')]).toEqual([400, 'backend']);
    on.saw(kinds(refused), { arrivedAsSent: texts.length });
  },
);

fault(
  {
    row: 51,
    when: 'seed 12345678901234567890, 1e400, -0, 1.0, 1E2, and other ways to write numbers',
    expected: 'the bytes are unchanged at the backend',
  },
  async (on) => {
    const stand = await on.stand();
    const numbers = [
      '12345678901234567890',
      '1e400',
      '-0',
      '1.0',
      '1E2',
      '0.1e-7',
      '-0.0',
      '1e-400',
      '3.141592653589793238462643',
    ];
    const bodies = numbers.map((number) => `{ "model" : "test-model",\n"messages":[],"seed":${number} }`);
    const seen = await askEach(stand, bodies);
    expect(kinds(seen)).toEqual({ '200': numbers.length });
    const arrived = stand.engine(0).posts.map(({ body }) => body.toString());
    expect(arrived.toSorted((a, b) => a.localeCompare(b))).toEqual(bodies.toSorted((a, b) => a.localeCompare(b)));
    on.saw(kinds(seen), 'as sent');
  },
);

fault(
  {
    row: 52,
    when: 'members and models named __proto__, constructor, toString, hasOwnProperty',
    expected: '404 model_not_found, members pass as they are, nothing is polluted',
  },
  async (on) => {
    const stand = await on.stand();
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'prototype',
      'valueOf',
      '__defineGetter__',
    ];
    const models = await askEach(
      stand,
      names.map((name) => `{"model":"${name}","messages":[]}`),
    );
    expect(kinds(models)).toEqual({ '404 model_not_found': names.length });
    const listed = await Promise.all(names.map((name) => fetch(`${stand.url}/v1/models/${name}`)));
    expect(new Set(listed.map(({ status }) => status))).toEqual(new Set([404]));
    stand.sent += names.length;
    const polluting = names.map(
      (name) => `{"model":"test-model","messages":[],"${name}":{"stream":true,"model":"x","toString":1}}`,
    );
    const members = await askEach(stand, polluting);
    expect(kinds(members)).toEqual({ '200': names.length });
    expect(members.every(({ events }) => events.length === 0)).toBe(true);
    const after = await stand.ask();
    expect([after.status, stand.engine(0).posts.at(-1)?.json['stream']]).toEqual([200, undefined]);
    on.saw(kinds(models), { members: kinds(members) });
  },
);

fault(
  {
    row: 53,
    when: 'model missing, of the wrong type, unknown, not allowed for the key',
    expected: '400, 400, 404 model_not_found, 403 forbidden',
  },
  async (on) => {
    const stand = await on.stand();
    const keyed = await on.stand({
      fleet: { auth: { keys: [{ tenant: 't', key: '${THE_KEY}', models: ['other-*'] }] } },
    });
    const wrong = [
      '{"messages":[]}',
      '{"model":1}',
      '{"model":null}',
      '{"model":["test-model"]}',
      '{"model":""}',
      '{"model":{}}',
      '{"model":true}',
    ];
    const refused = await askEach(stand, wrong);
    expect(kinds(refused)).toEqual({ '400 invalid_request': wrong.length });
    const unknown = await askEach(stand, [
      '{"model":"TEST-MODEL"}',
      '{"model":"test-model "}',
      `{"model":"${'m'.repeat(10_000)}"}`,
    ]);
    expect(kinds(unknown)).toEqual({ '404 model_not_found': 3 });
    const forbidden = await keyed.ask({}, { headers: limitedKey });
    const hidden = await keyed.ask({ model: 'not-there' }, { headers: limitedKey });
    expect([forbidden, hidden].map(({ status, errorType }) => [status, errorType])).toEqual([
      [403, 'forbidden'],
      [403, 'forbidden'],
    ]);
    expect([stand.posts, keyed.posts]).toEqual([[], []]);
    on.saw(kinds([...refused, ...unknown, forbidden, hidden]));
  },
);

fault(
  {
    row: 59,
    when: 'other content types, none at all, a broken multipart, compressed bodies',
    expected: '415 invalid_request, nothing upstream',
  },
  async (on) => {
    const stand = await on.stand();
    const types = [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'json',
      '',
    ];
    const refused = await several(types.length, 4, (n) =>
      stand.ask({}, { headers: { 'content-type': types[n] ?? '' } }),
    );
    expect(kinds(refused)).toEqual({ '415 invalid_request': types.length });
    const compressed = await several(3, 3, (n) =>
      stand.ask({}, { headers: { 'content-encoding': ['gzip', 'br', 'zstd'][n] ?? '' } }),
    );
    expect(kinds(compressed)).toEqual({ '415 invalid_request': 3 });
    const caller = await wire(stand.router.port);
    stand.sent += 1;
    caller.send(post('/v1/chat/completions', '{}').replace('Content-Type: application/json\r\n', ''));
    await caller.when(({ received }) => received.includes('}}'));
    expect(statusesOf(caller.received)).toEqual([415]);
    const fine = ['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.api+json'];
    const passed = await several(fine.length, 3, (n) => stand.ask({}, { headers: { 'content-type': fine[n] ?? '' } }));
    expect(passed.map(({ status }) => status >= 500 || status === 415)).toEqual([false, false, false]);
    expect(stand.posts).toHaveLength(fine.length);
    on.saw(kinds([...refused, ...compressed]), { none: 415 });
  },
);

fault(
  {
    row: 60,
    when: '10,000 different models that do not exist',
    expected: '404 each, the number of metric series and the memory stay as they are',
  },
  async (on) => {
    const stand = await on.stand({ fleet: { logging: { access: 'all' } } });
    await several(1_000, 16, (n) => stand.ask({ model: `first-${n}` }));
    const before = await stand.metrics();
    const seen = await several(10_000, 16, async (n) => {
      const { status, errorType } = await stand.ask({ model: `bogus-${n}-${'x'.repeat(n % 400)}` });
      return `${status} ${errorType}`;
    });
    expect(new Set(seen)).toEqual(new Set(['404 model_not_found']));
    const after = await stand.metrics();
    // Not those of Node.js: each kind of its collections has series once there was one.
    const own = ({ samples }: typeof after) => samples.filter(({ name }) => name.startsWith('switchyard_')).length;
    expect(own(before)).toBeGreaterThan(100);
    expect(own(after)).toBe(own(before));
    const grown = (name: string) => (after.total(name) - before.total(name)) / 2 ** 20;
    const grownMiB = Math.round(grown('process_resident_memory_bytes'));
    // 10,000 names alone would be 2 MiB, and all their requests 12 MiB; what garbage lies around is more.
    expect(grownMiB).toBeLessThan(100);
    on.saw('404 ×10000', { series: own(after), grownMiB });
  },
);
