// The admin listener: who may ask, what it tells, and what it can be told to do.
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { LoadedFleet, RefusedFleet } from '../../src/config/load.ts';
import { startService } from '../../src/service.ts';
import { aFleet } from '../support/a-fleet.ts';
import { pino } from 'pino';
import { exchangeBytes } from '../support/raw-http.ts';
import { type RouterWishes, routerPerTest, type RunningRouter } from '../support/running-router.ts';
import { answer, stallsAfter } from '../support/scripted/behaviours.ts';
import { readUntil } from '../support/read-until.ts';

const { start } = routerPerTest();
const token = 'an-admin-token';
const tokenSha256 = createHash('sha256').update(token).digest('hex');
const withToken = { authorization: `Bearer ${token}` };

async function startWithAdmin(wishes: RouterWishes = {}) {
  const router = await start({ admin: { tokenSha256 }, ...wishes });
  const port = portOf(router);
  const ask = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
  return {
    router,
    port,
    get: (path: string) => ask('GET', path),
    ask,
    post: (path: string) => ask('POST', path, withToken),
  };
}

function portOf({ service }: RunningRouter): number {
  const { port } = service.adminAddress ?? {};
  if (port === undefined) throw new Error('no admin listener');
  return port;
}

describe('the admin listener', () => {
  it('tells whether the router is alive and ready, and its metrics, also where the main port does not', async () => {
    const { router, get } = await startWithAdmin({ server: { metrics: false } });
    expect([(await get('/livez')).status, (await get('/readyz')).status]).toEqual([200, 200]);
    expect((await router.get('/metrics')).status).toBe(404);
    expect(await (await get('/metrics')).text()).toContain('switchyard_backend_up{backend="b0",engine="vllm"} 1');
  });

  it('is not there unless the fleet has one', async () => {
    expect((await start()).service.adminAddress).toBeUndefined();
  });

  it('serves no inference and no models, and the main port nothing of it', async () => {
    const { router, get, post } = await startWithAdmin();
    expect([(await get('/v1/models')).status, (await post('/v1/chat/completions')).status]).toEqual([404, 404]);
    expect((await router.post('/reload', '', { headers: withToken })).status).toBe(404);
    expect((await router.post('/backends/b0/drain', '', { headers: withToken })).status).toBe(404);
    expect(router.engine.posts).toEqual([]);
  });

  it.each([
    ['localhost', 200],
    ['LOCALHOST:1234', 200],
    ['127.0.0.1', 200],
    ['[::1]:9091', 200],
    ['10.0.0.5:9091', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['localhost@evil.example', 403],
    ['', 400],
  ])('asked as "%s" answers %i', async (host, status) => {
    const { port } = await startWithAdmin();
    const answered = await exchangeBytes(port, `GET /livez HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    expect(answered).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answered).toContain(status === 200 ? '{"status":"alive"}' : '{"error":{"type":"');
  });

  it('changes nothing without its token, and says how to have one', async () => {
    const { router, ask, get } = await startWithAdmin();
    for (const path of ['/reload', '/backends/b0/drain', '/backends/b0/undrain', '/nothing']) {
      for (const authorization of ['', 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`, `Bearer ${tokenSha256}`]) {
        const answered = await ask('POST', path, authorization === '' ? {} : { authorization });
        expect([answered.status, await answered.json()]).toEqual([
          401,
          { error: { type: 'unauthorized', message: expect.stringContaining('Bearer') } },
        ]);
        expect(answered.headers.get('www-authenticate')).toBe('Bearer');
      }
      expect((await get(path)).status).toBe(path === '/nothing' ? 404 : 405);
    }
    expect((await router.chat()).status).toBe(200);
  });

  it('refuses every POST where no token is configured', async () => {
    const router = await start({ admin: {} });
    const answered = await fetch(`http://127.0.0.1:${portOf(router)}/reload`, { method: 'POST', headers: withToken });
    expect([answered.status, await answered.json()]).toEqual([
      403,
      { error: { type: 'forbidden', message: expect.stringContaining('admin.token') } },
    ]);
  });

  it('takes a name in every spelling of it, and knows no others', async () => {
    const { post } = await startWithAdmin({ engines: [{ imitates: 'vllm', backend: { name: 'rack/10.0.0.1:8000' } }] });
    for (const name of ['rack/10.0.0.1:8000', 'rack%2F10.0.0.1%3A8000'])
      expect(await (await post(`/backends/${name}/drain`)).json()).toMatchObject({ state: 'draining' });
    expect((await post('/backends/%zz/drain')).status).toBe(400);
    const unknown = await post('/backends/__proto__/drain');
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { error: { type: 'not_found', message: expect.any(String) } },
    ]);
  });

  it('takes the token and the hosts of the fleet that runs now', async () => {
    const { router, ask } = await startWithAdmin();
    const { admin, ...rest } = router.service.fleet;
    if (admin === undefined) throw new Error('no admin settings');
    const other = createHash('sha256').update('another').digest('hex');
    await router.service.apply({ ...rest, admin: { ...admin, tokenSha256: other } });
    expect((await ask('POST', '/reload', withToken)).status).toBe(401);
    expect((await ask('POST', '/reload', { authorization: 'Bearer another' })).status).toBe(200);
  });
});

describe('a backend drained at run time', () => {
  it('gets nothing new, finishes its streams, and takes part again once it is undrained', async () => {
    const { router, post } = await startWithAdmin({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    for (const engine of router.engines) engine.respond([answer({ count: 20, gapMs: 25 })]);
    const stream = await router.chat({ stream: true });
    const name = stream.headers.get('x-switchyard-backend') ?? '';
    const reader = await readUntil(stream, 't2 ');
    expect(await (await post(`/backends/${name}/drain`)).json()).toEqual({
      backend: name,
      state: 'draining',
      in_flight: 1,
    });
    expect(await router.metric('switchyard_backend_admin_state', { backend: name, state: 'draining' })).toBe(1);
    expect(await router.metric('switchyard_backend_admin_state', { backend: name, state: 'enabled' })).toBe(0);
    const served = await Promise.all(Array.from({ length: 8 }, () => router.chat()));
    expect(served.map(({ headers }) => headers.get('x-switchyard-backend'))).not.toContain(name);
    let rest = '';
    for (let read = await reader.read(); !read.done; read = await reader.read()) rest += Buffer.from(read.value);
    expect(rest).toContain('[DONE]');
    expect(await (await post(`/backends/${name}/undrain`)).json()).toMatchObject({ state: 'enabled', in_flight: 0 });
    const others = router.service.states.map((state) => state.name).filter((one) => one !== name);
    for (const one of others) await post(`/backends/${one}/drain`);
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe(name);
  });

  it('gets nothing although it is the last one, and is what those who wait were waiting for', async () => {
    const { router, post } = await startWithAdmin({
      engines: [{ imitates: 'vllm' }, { imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    await post('/backends/b0/drain');
    router.engines[1]?.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const held = await router.chat({ stream: true }, { signal: gone.signal });
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    await post('/backends/b0/undrain');
    expect((await waiting).headers.get('x-switchyard-backend')).toBe('b0');
    await post('/backends/b0/drain');
    await post('/backends/b1/drain');
    const refused = await router.chat();
    expect([refused.status, await refused.json()]).toEqual([
      503,
      { error: { type: 'no_backend', message: expect.stringContaining('b0: draining, b1: draining') } },
    ]);
    expect((await router.get('/v1/models')).status).toBe(200);
    gone.abort();
    await held.text().catch(() => '');
  });

  it('stays drained over reloads, also on another box, until somebody says otherwise', async () => {
    const { router, post } = await startWithAdmin({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    await post('/backends/b0/drain');
    const [one, two] = router.service.fleet.backends;
    if (one === undefined || two === undefined) throw new Error('two backends');
    const served = async () => (await router.chat()).headers.get('x-switchyard-backend');
    const fleet = router.service.fleet;
    await router.service.apply({ ...fleet, backends: [{ ...one, weight: 1_000 }, two] });
    expect(await served()).toBe('b1');
    // The boxes change places.
    const [oneUrl = '', twoUrl = ''] = [one.url, two.url];
    await router.service.apply({
      ...fleet,
      backends: [
        { ...one, url: twoUrl },
        { ...two, url: oneUrl },
      ],
    });
    expect(await served()).toBe('b1');
    expect(await (await post('/backends/b0/undrain')).json()).toMatchObject({ state: 'enabled' });
    // What the file says counts too.
    await router.service.apply({ ...fleet, backends: [one, { ...two, state: 'draining' }] });
    expect(await served()).toBe('b0');
    expect(await (await post('/backends/b1/undrain')).json()).toMatchObject({ state: 'draining' });
    expect(await served()).toBe('b0');
  });
});

describe('POST /reload', () => {
  const problem = { file: 'f', line: 3, col: 7, severity: 'error', message: 'wrong', path: 'x' } as const;

  it('waits for the outcome and tells it, whatever it is', async () => {
    let found: LoadedFleet | RefusedFleet = { problems: [problem] };
    const { router, post } = await startWithAdmin({ load: () => found });
    const refused = await post('/reload');
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { result: 'refused', problems: ['f:3:7: error: wrong at x'] },
    ]);
    expect(await router.metric('switchyard_config_reloads_total', { trigger: 'api', result: 'refused' })).toBe(1);

    const { fleet } = router.service;
    const warning = { ...problem, severity: 'warning' as const };
    const { logging } = fleet;
    found = {
      fleet: {
        ...fleet,
        backends: fleet.backends.map((one) => ({ ...one, weight: 2 })),
        logging: { ...logging, format: 'pretty' },
      },
      warnings: [warning],
      hash: 'abcdef0123456789',
    };
    const applied = await post('/reload');
    expect([applied.status, await applied.json()]).toEqual([
      200,
      {
        result: 'applied',
        config: 'abcdef',
        changes: '1 backend changed (b0), logging',
        needs_restart: ['logging.format'],
        warnings: ['f:3:7: warning: wrong at x'],
      },
    ]);
    const unchanged = await post('/reload');
    expect([unchanged.status, await unchanged.json()]).toEqual([200, { result: 'unchanged', config: 'abcdef' }]);
    expect(await router.metric('switchyard_config_info', { config_hash: 'abcdef012345' })).toBe(1);
    expect(router.log.filter(({ trigger }) => trigger === 'api').map(({ msg }) => msg)).toEqual([
      'reload refused: the fleet stays as it was',
      'reloaded: 1 backend changed (b0), logging',
      'reload: the fleet file says what runs already',
    ]);
  });

  it('takes an empty fleet only when told so', async () => {
    const { router, post } = await startWithAdmin({
      load: () => {
        const { fleet } = router.service;
        return {
          fleet: { ...fleet, backends: fleet.backends.map((one) => ({ ...one, state: 'disabled' as const })) },
          warnings: [],
          hash: 'other',
        };
      },
    });
    expect((await post('/reload')).status).toBe(422);
    expect((await router.chat()).status).toBe(200);
    expect((await post('/reload?allow_empty=true')).status).toBe(200);
    expect((await router.chat()).status).toBe(404);
  });
});

describe('an admin address that is taken', () => {
  const silent = { log: pino({ level: 'silent' }), version: 'test' };

  it('is an error where somebody has chosen it, and nothing is left open', async () => {
    const router = await start({ admin: {} });
    const listen = { host: '127.0.0.1', port: portOf(router) };
    const starting = startService(aFleet({ admin: { listen } }), silent);
    await expect(starting).rejects.toMatchObject({ name: 'AdminListenFailure', cause: { code: 'EADDRINUSE' } });
  });

  it('is done without where nobody has', async () => {
    const router = await start({ admin: {} });
    const listen = { host: '127.0.0.1', port: portOf(router) };
    const service = await startService(aFleet({ admin: { listen, isChosen: false } }), silent);
    expect(service.adminAddress).toBeUndefined();
    await service.stop();
  });
});
