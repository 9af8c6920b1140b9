// What the admin listener tells: the fleet, its configuration, what would happen, and what a reload would change.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { LoadedFleet, RefusedFleet } from '../../src/config/load.ts';
import type { Backend } from '../../src/fleet/fleet.ts';
import type { FleetReport } from '../../src/fleet/report.ts';
import { type RouterWishes, routerPerTest } from '../support/running-router.ts';
import { exchangeBytes } from '../support/raw-http.ts';
import { answer, reply, stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();
const secrets = { token: 'secret-admin-token', key: 'sk-secret-key', bearer: 'secret-bearer' };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const prompt = 'the secret words of a prompt';

async function startWithAdmin(wishes: RouterWishes = {}) {
  const router = await start({ admin: { tokenSha256: sha256(secrets.token) }, ...wishes });
  const { port } = router.service.adminAddress ?? {};
  if (port === undefined) throw new Error('no admin listener');
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers });
  return {
    router,
    port,
    get,
    json: async (path: string) => JSON.parse(await (await get(path)).text()),
    fleet: async (): Promise<FleetReport> => JSON.parse(await (await get('/fleet')).text()),
    post: (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secrets.token}` },
      }),
  };
}

const typeOf = (envelope: string): unknown => JSON.parse(envelope).error.type;

describe('GET /fleet', () => {
  it('tells each backend, each model and the traffic', async () => {
    const { router, fleet } = await startWithAdmin({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 4, weight: 2 } }],
      others: [{ name: 'gone', models: ['test-model'], url: 'http://127.0.0.1:9' }],
      models: { 'test-model': { aliases: ['other-name'] } },
    });
    await (await router.chat({ stream: true })).text();
    await vi.waitFor(async () => expect((await fleet()).traffic).toMatchObject({ requests: 1, in_flight: 0 }));
    const report = await fleet();
    expect(report).toMatchObject({
      switchyard: { version: 'test', node: process.version },
      phase: 'ready',
      attention: [],
      config: { refused: null },
      shared_state: null,
      traffic: { requests: 1, failed: 0, in_flight: 0, waiting: 0, history: { every_seconds: 5 } },
      backends: [
        {
          name: 'b0',
          engine: 'vllm',
          weight: 2,
          state: 'up',
          admin_state: 'enabled',
          health: 'up',
          circuit: 'closed',
          stalled: false,
          in_flight: 0,
          max_in_flight: 4,
          attempts: 1,
          failed: 0,
          models: ['test-model'],
          problem: null,
          ttft_p50_ms: expect.any(Number),
          ttft_p95_ms: expect.any(Number),
          last_change: { what: 'unknown → up' },
        },
        { name: 'gone', state: 'down', max_in_flight: null, problem: 'connection refused', models: ['test-model'] },
      ],
      models: [
        {
          name: 'test-model',
          aliases: ['other-name'],
          policy: 'least-connections',
          available: 1,
          panic: false,
          members: [
            { backend: 'b0', usable: true, circuit: 'closed', why: null },
            { backend: 'gone', usable: false, circuit: 'closed', why: 'down' },
          ],
          queue: { length: 0, max_length: 0, max_wait_seconds: 30 },
          fallback: { no_backend: [], overloaded: [] },
        },
      ],
      tenants: [{ tenant: 'anonymous', requests: 1, limits: [] }],
      failures: [],
      decisions: [{ attempt: 1, queued_ms: 0, explanation: { winner: 'b0', model: 'test-model' } }],
    });
    expect(report.traffic.history.requests).toHaveLength(120);
    for (const at of [report.now, report.switchyard.started_at, report.config.loaded_at])
      expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
  });

  it('shows what happens: a drain, what runs, what was made good elsewhere, and what has failed', async () => {
    const { router, fleet, post } = await startWithAdmin({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    const [b0, b1] = router.engines;
    b0?.respond([reply(500), reply(500), reply(500), reply(500)]);
    b1?.respond([answer(), answer(), answer(), answer()]);
    const backends = async () => (await fleet()).backends;
    while ((await backends())[0]?.failed === 0) await (await router.chat()).text();
    const report = await fleet();
    expect(report.backends).toMatchObject([
      { failed: 1, problem: 'HTTP 500' },
      { failed: 0, problem: null },
    ]);
    expect(report.failures).toMatchObject([
      { kind: 'attempt', backend: 'b0', model: 'test-model', error: 'backend_error', source: 'backend', status: 500 },
    ]);
    expect(report.decisions[0]).toMatchObject({
      attempt: 2,
      explanation: {
        winner: 'b1',
        candidates: [{ backend: 'b1' }, { backend: 'b0', verdict: 'excluded', why: 'has had its try' }],
      },
    });
    await post('/backends/b0/drain');
    expect((await backends())[0]).toMatchObject({ state: 'draining', last_change: { what: 'drained' } });
    b1?.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const held = await router.chat({ stream: true }, { signal: gone.signal });
    expect((await fleet()).traffic.in_flight).toBe(1);
    expect((await backends())[1]).toMatchObject({ in_flight: 1 });
    gone.abort();
    await held.text().catch(() => '');
    await post('/backends/b1/drain');
    expect((await router.chat()).status).toBe(503);
    const last = await fleet();
    expect(last.attention).toEqual(['The model test-model has no usable backend (0 of 2).']);
    expect(last.failures[0]).toMatchObject({ kind: 'request', error: 'no_backend', source: 'gateway', status: 503 });
    expect(last.traffic.failed).toBe(1);
  });

  it('tells the limits of every tenant and how much of each is used', async () => {
    const limits = { requestsPerMinute: 60, burst: { requests: 10 }, concurrent: 5 };
    const { router, fleet } = await startWithAdmin({
      auth: {
        mode: 'keys',
        keys: [
          { tenant: 'other', sha256: sha256('another') },
          { tenant: 'search', sha256: sha256(secrets.key), limits },
        ],
        tenants: new Map([
          [
            'search',
            { limits: { tokensPerDay: 1_000 }, modelLimits: new Map([['test-model', { requestsPerDay: 7 }]]) },
          ],
          ['idle', { modelLimits: new Map() }],
        ]),
      },
    });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const headers = { authorization: `Bearer ${secrets.key}` };
    const held = await router.chat({ stream: true, max_tokens: 10 }, { signal: gone.signal, headers });
    const { tenants } = await fleet();
    expect(tenants.map(({ tenant }) => tenant)).toEqual(['other', 'search', 'idle']);
    expect(tenants[1]?.limits).toEqual([
      { limit: 'requests_per_minute', of: 'key 2', used: 1, allowed: 10 },
      { limit: 'concurrent', of: 'key 2', used: 1, allowed: 5 },
      { limit: 'tokens_per_day', of: 'all keys', used: expect.any(Number), allowed: 1_000 },
      { limit: 'requests_per_day', of: 'test-model', used: 1, allowed: 7 },
    ]);
    expect(tenants[1]?.limits[2]?.used).toBeGreaterThan(9);
    gone.abort();
    await held.text().catch(() => '');
  });

  it('is not sent again to who has it, and compressed to who takes that', async () => {
    const { router, get, port, post } = await startWithAdmin();
    await vi.waitFor(async () => expect((await get('/fleet')).status).toBe(200));
    const first = await get('/fleet');
    const tag = first.headers.get('etag') ?? '';
    expect([tag.slice(0, 3), first.headers.get('cache-control'), first.headers.get('vary')]).toEqual([
      'W/"',
      'no-cache',
      'accept-encoding',
    ]);
    await first.text();
    for (const known of [tag, `"x", ${tag}`, tag.slice(2), '*']) {
      const again = await get('/fleet', { 'if-none-match': known });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
    }
    await post('/backends/b0/drain');
    const changed = await get('/fleet', { 'if-none-match': tag });
    expect([changed.status, changed.headers.get('etag') === tag]).toEqual([200, false]);
    await changed.text();
    const ask = (encoding: string) =>
      fetch(`http://127.0.0.1:${port}/fleet`, { headers: { 'accept-encoding': encoding } });
    expect((await ask('identity')).headers.get('content-encoding')).toBeNull();
    const zipped = await exchangeBytes(
      port,
      'GET /fleet HTTP/1.1\r\nhost: localhost\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n',
    );
    expect(zipped).toMatch(/^content-encoding: gzip\r$/im);
    const body = Buffer.from(zipped.slice(zipped.indexOf('\r\n\r\n') + 4), 'latin1');
    expect(JSON.parse(gunzipSync(body).toString())).toMatchObject({ phase: 'ready' });
    expect(router.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  it('tells of a fleet file that was refused, until one is taken', async () => {
    const problem = { file: 'f', line: 3, col: 7, severity: 'error', message: 'wrong', path: 'x' } as const;
    let found: LoadedFleet | RefusedFleet = { problems: [problem] };
    const { router, fleet, post } = await startWithAdmin({ load: () => found });
    await post('/reload');
    const report = await fleet();
    expect(report.config.refused).toMatchObject({ problems: ['f:3:7: error: wrong at x'] });
    expect(report.attention).toEqual(['The newest fleet file was refused; an older one runs.']);
    found = { fleet: router.service.fleet, warnings: [], hash: '0123456789abcdef' };
    await post('/reload');
    expect(await fleet()).toMatchObject({ attention: [], config: { hash: '0123456789ab', refused: null } });
  });

  it('holds two hundred backends, and forgets those that leave', async () => {
    const others = Array.from(
      { length: 199 },
      (_, n): Partial<Backend> => ({
        name: `x${n}`,
        url: 'http://127.0.0.1:9',
        models: [`m${n % 7}`, 'test-model'],
        probe: { intervalMs: 60_000, timeoutMs: 2_000, upAfter: 1, downAfter: 1 },
      }),
    );
    const { router, fleet } = await startWithAdmin({ others });
    for (let n = 0; n < 5; n++) await (await router.chat()).text();
    const report = await fleet();
    expect(report.backends).toHaveLength(200);
    expect(report.models.find(({ name }) => name === 'test-model')?.members).toHaveLength(200);
    for (const { explanation } of report.decisions) expect(explanation.candidates.length).toBeLessThanOrEqual(16);
    const { fleet: running } = router.service;
    await router.service.apply({ ...running, backends: running.backends.slice(0, 1) });
    expect((await fleet()).backends.map(({ name }) => name)).toEqual(['b0']);
  });
});

describe('GET /config', () => {
  it('tells what runs now, in the words of the file', async () => {
    const { router, json } = await startWithAdmin();
    expect(await json('/config')).toMatchObject({
      version: 1,
      server: { max_body: '32MiB' },
      admin: { allowed_hosts: ['localhost'], token: '***' },
      backends: [{ name: 'b0', engine: 'vllm', probe: { interval: '50ms' }, timeouts: { total: '1h' } }],
    });
    const { fleet } = router.service;
    await router.service.apply({ ...fleet, routing: { ...fleet.routing, policy: 'round-robin' } });
    expect(await json('/config')).toMatchObject({ routing: { policy: 'round-robin' } });
  });
});

describe('GET /explain', () => {
  it('tells who would get it and why, and changes nothing', async () => {
    const { router, json } = await startWithAdmin({
      engines: [{ imitates: 'vllm' }, { imitates: 'vllm', backend: { capabilities: { tools: false } } }],
      policy: 'round-robin',
    });
    const path = '/explain?model=test-model&endpoint=chat-completions&needs=tools,vision&prompt_bytes=100&max_tokens=9';
    for (let n = 0; n < 3; n++)
      expect(await json(path)).toMatchObject({
        model: 'test-model',
        endpoint: 'chat-completions',
        policy: 'round-robin',
        winner: 'b0',
        why: 'b0 is the only one of 2 that can take it now.',
        candidates: [
          { backend: 'b0', verdict: 'winner', why: null, score: null },
          { backend: 'b1', verdict: 'excluded', why: 'cannot do tools' },
        ],
      });
    const foretold = async () => (await json('/explain?model=test-model')).winner;
    for (let n = 0; n < 6; n++) {
      const winner = await foretold();
      expect((await router.chat()).headers.get('x-switchyard-backend')).toBe(winner);
    }
    expect((await json('/fleet')).traffic.requests).toBe(6);
  });

  it('fails as a request would, and says what is wrong with the question', async () => {
    const { router, get } = await startWithAdmin({
      auth: { mode: 'keys', keys: [{ tenant: 'search', sha256: sha256(secrets.key), models: ['bge-*'] }] },
    });
    const asked = async (query: string) => {
      const answered = await get(`/explain?${query}`);
      return [answered.status, typeOf(await answered.text())];
    };
    const headers = { authorization: `Bearer ${secrets.key}` };
    const refused = await router.chat({ model: 'bge-nothing' }, { headers });
    expect(await asked('model=bge-nothing')).toEqual([refused.status, typeOf(await refused.text())]);
    expect(await asked('model=test-model&tenant=search')).toEqual([403, 'forbidden']);
    expect(await asked('model=test-model&tenant=nobody')).toEqual([404, 'not_found']);
    for (const query of [
      '',
      'model=',
      'model=test-model&needs=magic',
      'model=test-model&endpoint=magic',
      'model=test-model&prompt_bytes=-1',
      'model=test-model&max_tokens=1e9',
      'model=test-model&model=other',
      'model=test-model&prompt=hello',
    ])
      expect([query, await asked(query)]).toEqual([query, [400, 'invalid_request']]);
  });
});

describe('GET /readyz?verbose', () => {
  it('tells backends and models on the admin listener, and nothing on the main port', async () => {
    const { router, get, json } = await startWithAdmin({ others: [{ name: 'gone', models: ['m'] }] });
    expect(await json('/readyz?verbose')).toEqual({
      status: 'ready',
      phase: 'ready',
      backends: [
        { name: 'b0', state: 'up', problem: null },
        { name: 'gone', state: 'down', problem: 'connection refused' },
      ],
      models: [
        { name: 'm', available: 0, members: 1 },
        { name: 'test-model', available: 1, members: 1 },
      ],
    });
    expect(await json('/readyz')).toEqual({ status: 'ready' });
    expect(await (await router.get('/readyz?verbose')).json()).toEqual({ status: 'ready' });
    expect((await get('/readyz?verbose')).status).toBe(200);
  });

  it('tells them also before the fleet is discovered', async () => {
    const { get } = await startWithAdmin({
      engines: [{ imitates: 'vllm', healthDelayMs: 900 }],
      waitUntilDiscovered: false,
    });
    const answered = await get('/readyz?verbose');
    expect([answered.status, await answered.json()]).toMatchObject([
      503,
      { status: 'not ready', phase: 'starting', backends: [{ name: 'b0', state: 'unknown' }] },
    ]);
  });
});

describe('GET /diff', () => {
  it('tells what a reload would change and applies nothing', async () => {
    const problem = { file: 'f', line: 3, col: 7, severity: 'error', message: 'wrong', path: 'x' } as const;
    let found: LoadedFleet | RefusedFleet | undefined;
    const { router, json } = await startWithAdmin({
      load: () => found ?? { fleet: router.service.fleet, warnings: [], hash: '' },
    });
    expect(await json('/diff')).toEqual({ result: 'same', config: '', changes: '', needs_restart: [], problems: [] });
    const { fleet } = router.service;
    found = {
      fleet: {
        ...fleet,
        backends: fleet.backends.map((one) => ({ ...one, weight: 5 })),
        logging: { ...fleet.logging, format: 'pretty' },
      },
      warnings: [{ ...problem, severity: 'warning' }],
      hash: 'abcdef',
    };
    expect(await json('/diff')).toEqual({
      result: 'differs',
      config: '',
      changes: '1 backend changed (b0), logging',
      needs_restart: ['logging.format'],
      problems: ['f:3:7: warning: wrong at x'],
    });
    expect(router.service.fleet).toBe(fleet);
    found = { problems: [problem] };
    expect(await json('/diff')).toMatchObject({ result: 'invalid', problems: ['f:3:7: error: wrong at x'] });
    expect((await json('/fleet')).config.refused).toBeNull();
  });
});

describe('whatever the admin listener tells', () => {
  const paths = ['/fleet', '/config', '/explain?model=test-model', '/readyz?verbose', '/diff', '/metrics', '/livez'];

  it('holds no secret and nothing of a prompt or an answer', async () => {
    const { router, get } = await startWithAdmin({
      engines: [{ imitates: 'vllm', backend: { bearer: secrets.bearer } }],
      others: [{ name: 'gone', models: ['test-model'], bearer: secrets.bearer }],
      auth: { mode: 'keys', keys: [{ tenant: 'search', sha256: sha256(secrets.key), limits: { requestsPerDay: 99 } }] },
      panicRatio: 0,
    });
    const headers = { authorization: `Bearer ${secrets.key}` };
    const messages = [{ role: 'user', content: prompt }];
    router.engine.respond([reply(500, `{"error":{"message":"${prompt}"}}`), reply(400, `{"error":"${prompt}"}`)]);
    const answers = [await router.chat({ messages }, { headers }), await router.chat({ messages }, { headers })];
    expect(answers.map(({ status }) => status).some((status) => status >= 400)).toBe(true);
    await Promise.all(answers.map((one) => one.text()));
    await router.chat({ messages, model: prompt.replaceAll(' ', '-') }, { headers });
    for (const path of paths) {
      const told = await (await get(path)).text();
      expect(told.length).toBeGreaterThan(10);
      for (const secret of [
        ...Object.values(secrets),
        ...Object.values(secrets).map(sha256),
        'secret words',
        'secret-words',
      ])
        expect([path, told.includes(secret)]).toEqual([path, false]);
    }
  });

  it('is told on GET and HEAD alone, under its own names, and changes nothing', async () => {
    const { router, port, get } = await startWithAdmin();
    for (const path of ['/fleet', '/config', '/explain?model=test-model', '/diff'])
      expect([path, (await router.get(path)).status]).toEqual([path, 404]);
    const before = JSON.stringify([router.service.fleet, router.service.counts(), router.service.held()]);
    for (const path of paths) {
      expect([path, (await get(path)).status]).toEqual([path, 200]);
      const head = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'HEAD' });
      expect([path, head.status, await head.text()]).toEqual([path, 200, '']);
      const foreign = await exchangeBytes(
        port,
        `GET ${path} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n`,
      );
      expect([path, foreign.slice(0, 12)]).toEqual([path, 'HTTP/1.1 403']);
    }
    expect(JSON.stringify([router.service.fleet, router.service.counts(), router.service.held()])).toBe(before);
  });
});
