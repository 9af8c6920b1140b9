// What callers send as requests: rows 54 to 58 of the matrix. Keys, bytes that hide a second request, paths, methods.
import { expect } from 'vitest';
import { exchangeBytes, post, statusesOf } from '../support/raw-http.ts';
import { question } from '../system/caller.ts';
import { secrets } from '../system/of-test.ts';
import { faultMatrix } from './matrix.ts';
import { payloads } from './smuggling.ts';
import { limitedKey } from './stand.ts';

const { fault } = faultMatrix();

fault(
  {
    row: 54,
    when: 'no key, a wrong, a malformed, an expired one, one of 10 KiB, two Authorization headers',
    expected: '401 unauthorized, the same for all, never echoed; two headers: 400',
  },
  async (on) => {
    const expired = 'sk-this-one-has-expired';
    const keys = [
      { tenant: 't', key: '${THE_KEY}' },
      { tenant: 't', key: '${OLD_KEY}', expires: '2020-01-01' },
    ];
    const stand = await on.stand({ env: { OLD_KEY: expired }, fleet: { auth: { keys } } });
    const wrong: Record<string, Readonly<Record<string, string>>> = {
      none: {},
      wrong: { authorization: 'Bearer sk-wrong' },
      empty: { authorization: 'Bearer ' },
      'without a scheme': { authorization: secrets.key },
      basic: { authorization: `Basic ${Buffer.from(`user:${secrets.key}`).toString('base64')}` },
      'with a tail': { authorization: `Bearer ${secrets.key}x` },
      shortened: { authorization: `Bearer ${secrets.key.slice(0, -1)}` },
      'in other case': { authorization: `Bearer ${secrets.key.toUpperCase()}` },
      expired: { authorization: `Bearer ${expired}` },
      '10 KiB': { authorization: `Bearer ${'k'.repeat(10_240)}` },
      'of another kind': { 'x-api-key': 'sk-wrong' },
    };
    const texts = new Set<string>();
    for (const [name, headers] of Object.entries(wrong)) {
      for (const path of ['/v1/chat/completions', '/v1/nothing']) {
        const seen = await stand.ask({}, { headers, path });
        expect([name, seen.status, seen.errorType]).toEqual([name, 401, 'unauthorized']);
        texts.add(seen.text + String(seen.headers.get('www-authenticate')));
      }
    }
    expect(texts.size).toBe(1);
    const [text = ''] = texts;
    expect(text).not.toMatch(/sk-|kkk/);
    const two = ['Authorization: Bearer sk-wrong', `Authorization: Bearer ${secrets.key}`];
    const twice = await exchangeBytes(stand.router.port, post('/v1/chat/completions', '{}', two));
    stand.sent += 1;
    expect(statusesOf(twice)).toEqual([400]);
    expect(stand.posts).toHaveLength(0);
    expect((await stand.ask({}, { headers: limitedKey })).status).toBe(200);
    expect((await stand.ask({}, { headers: { 'x-api-key': secrets.key } })).status).toBe(200);
    expect(stand.router.stderr).not.toMatch(/sk-|kkk/);
    on.saw(`401 ×${Object.keys(wrong).length * 2}`, { two: 400 }, 'right: 200');
  },
);

fault(
  {
    row: 55,
    when: `${payloads.length} requests that two servers could read differently`,
    expected: 'one answer for each request sent, the backend sees those that were accepted and no other',
  },
  async (on) => {
    const stand = await on.stand();
    const wrong: (readonly [string, readonly number[], readonly number[], number])[] = [];
    for (const { name, bytes, statuses, counted, upstream = 0 } of payloads) {
      const before = stand.posts.length;
      const received = await exchangeBytes(stand.router.port, bytes, 150);
      stand.sent += counted;
      const seen = statusesOf(received);
      const arrived = stand.posts.length - before;
      if (JSON.stringify(seen) !== JSON.stringify(statuses) || arrived !== upstream)
        wrong.push([name, statuses, seen, arrived]);
    }
    expect(wrong).toEqual([]);
    for (const { body, headers } of stand.engine(0).posts) {
      expect(body.toString()).toBe('{"model":"test-model","messages":[]}');
      expect(headers['content-length']).toBe(String(body.length));
      expect([headers['transfer-encoding'], headers.upgrade, headers['trailer']]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }
    on.saw(`${payloads.length} as expected`, `${stand.posts.length} upstream`);
  },
);

fault(
  {
    row: 56,
    when: 'paths that climb, double slashes, escapes, the paths of engines',
    expected: '404 not_found, never reaches a backend',
  },
  async (on) => {
    const stand = await on.stand();
    const paths = [
      '/v1/../admin',
      '/v1/%2e%2e/admin',
      '/v1/..%2fadmin',
      '//v1/chat/completions',
      '/v1//chat/completions',
      '/v1/chat/completions/',
      '/V1/chat/completions',
      '/v1/chat/%63ompletions',
      '/v1/chat%2fcompletions',
      '/v1/chat/completions%00',
      '/v1/chat/completions;x',
      '/./v1/chat/completions',
      '/v1/chat/../chat/completions',
      '\\v1\\models'.replaceAll('\\', '/%5c'),
      '/v1',
      '/v1/',
      '/',
      '/load',
      '/slots',
      '/update_weights',
      '/update_weights_from_disk',
      '/v1/load_lora_adapter',
      '/v1/unload_lora_adapter',
      '/shutdown',
      '/health',
      '/server_info',
      '/get_server_info',
      '/flush_cache',
      '/abort_request',
      '/props',
      '/api/delete',
      '/api/pull',
      '/api/tags',
      '/sleep',
      '/wake_up',
      '/reset_prefix_cache',
      '/metrics/cluster',
      '/openapi.json',
      '/docs',
      '/system',
      '/backend/shutdown',
      '/v1/responses',
      '/.env',
      '/admin',
      '/livez/',
      '/%2e%2e/%2e%2e/etc/passwd',
    ];
    const before = stand.engine(0).journal.length;
    const wrong: (readonly [string, string, readonly number[]])[] = [];
    const body = JSON.stringify(question);
    for (const path of paths) {
      for (const [method, bytes] of [
        ['GET', `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
        ['POST', post(path, body, ['Connection: close'])],
      ] as const) {
        const received = await exchangeBytes(stand.router.port, bytes, 500);
        stand.sent += 1;
        const seen = statusesOf(received);
        if (JSON.stringify(seen) !== '[404]' || !received.includes('"type":"not_found"'))
          wrong.push([method, path, seen]);
      }
    }
    expect(wrong).toEqual([]);
    // Its probes are far apart.
    expect(stand.engine(0).journal.length).toBe(before);
    on.saw(`404 ×${paths.length * 2}`);
  },
);

fault(
  {
    row: 58,
    when: 'wrong methods, HEAD, OPTIONS, CONNECT, an unknown Expect',
    expected: '405 with Allow; HEAD without a body; OPTIONS 404; no tunnel; 417',
  },
  async (on) => {
    const stand = await on.stand();
    const ask = async (method: string, path: string, lines: readonly string[] = []) => {
      const bytes = [`${method} ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n');
      const received = await exchangeBytes(stand.router.port, bytes, 500);
      const [head = '', body = ''] = received.split('\r\n\r\n');
      const allow = /^allow: (.*)$/im.exec(head)?.[1]?.trim();
      return { status: statusesOf(received)[0], body, allow };
    };
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'TRACE']) {
      const { status, allow, body } = await ask(method, '/v1/chat/completions');
      stand.sent += 1;
      expect([method, status, allow, method === 'HEAD' && body !== '']).toEqual([method, 405, 'POST', false]);
    }
    const deleted = await ask('DELETE', '/v1/models');
    expect([deleted.status, deleted.allow]).toEqual([405, 'GET, HEAD']);
    const heads = [await ask('HEAD', '/v1/models'), await ask('HEAD', '/livez'), await ask('HEAD', '/nothing')];
    expect(heads.map(({ status, body }) => [status, body])).toEqual([
      [200, ''],
      [200, ''],
      [404, ''],
    ]);
    const options = await ask('OPTIONS', '/v1/chat/completions');
    expect(options.status).toBe(404);
    const tunnel = await ask('CONNECT', 'example.org:443');
    expect(tunnel.status).toBeUndefined();
    const expectation = await ask('POST', '/v1/chat/completions', ['Expect: 200-maybe', 'Content-Length: 0']);
    expect(expectation.status).toBe(417);
    stand.sent += 5;
    expect(stand.posts).toHaveLength(0);
    on.saw('405 ×7', 'HEAD 200 200 404', { options: options.status, expect: expectation.status });
  },
);

fault(
  {
    row: 55,
    when: 'versions of HTTP that this port does not speak',
    expected: '400 or 505, nothing upstream',
  },
  async (on) => {
    const stand = await on.stand();
    const chat = '{"model":"test-model","messages":[]}';
    const head = `POST /v1/chat/completions HTTP/2.0\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${chat.length}`;
    const seen = [
      statusesOf(await exchangeBytes(stand.router.port, 'GET /v1/models\r\n\r\n')),
      statusesOf(await exchangeBytes(stand.router.port, `${head}\r\n\r\n${chat}`)),
    ];
    stand.sent += 2;
    on.saw({ seen, upstream: stand.posts.length });
    for (const [status = 0] of seen) expect([400, 505]).toContain(status);
    expect(stand.posts).toEqual([]);
  },
);
