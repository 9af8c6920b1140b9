import { describe, expect, it } from 'vitest';
import { aFleet, timeouts } from '../support/a-fleet.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { quickProbe, routerPerTest } from '../support/running-router.ts';
import { reply } from '../support/scripted/behaviours.ts';

const { start, current } = routerPerTest();

const healthOf = (name: string) => current().service.states.find((state) => state.name === name)?.health;
const ids = async () => {
  return (await listed()).map(({ id }) => id);
};

async function listed(): Promise<readonly Record<string, unknown>[]> {
  const list: unknown = await (await current().get('/v1/models'))?.json();
  if (typeof list !== 'object' || list === null || !('data' in list) || !Array.isArray(list.data))
    throw new Error('no list');
  return list.data;
}

describe('probing', () => {
  it.each(['vllm', 'sglang', 'tgi', 'ollama', 'llamacpp', 'localai', 'openai'] as const)(
    '%s loads nothing and generates nothing',
    async (imitates) => {
      const { engine } = await start({ engines: [{ imitates, backend: { engine: 'auto' } }] });
      await expect.poll(() => engine.journal.length).toBeGreaterThan(10);
      expect(engine.posts).toHaveLength(0);
      expect(healthOf('b0')).toBe('up');
    },
  );

  it('starts with any subset of the fleet up, and takes the rest in when it comes', async () => {
    const { engine, chat } = await start({
      engines: [{ imitates: 'vllm', models: ['late'], health: 'loading' }, { imitates: 'vllm' }],
    });
    expect((await chat()).status).toBe(200);
    expect(await ids()).toEqual(['test-model']);
    expect((await chat({ model: 'late' })).status).toBe(404);
    await engine.setHealth('up');
    await expect.poll(ids).toEqual(['late', 'test-model']);
    expect((await chat({ model: 'late' })).status).toBe(200);
  });

  it('keeps the models of a backend that went down: listed, and 503', async () => {
    const { engine, chat } = await start();
    await engine.crash();
    await expect.poll(() => healthOf('b0')).toBe('down');
    expect(await ids()).toEqual(['test-model']);
    const response = await chat();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { type: 'no_backend', message: expect.stringContaining('b0: down') },
    });
    // Its next probe is sooner.
    expect(response.headers.get('retry-after')).toBe('1');
    expect(response.headers.get('x-switchyard-attempts')).toBe('1');
  });

  it('is not believed when more than half of the members are out: they are tried, and one whose probes lie serves', async () => {
    const { engine, chat, log, metric } = await start({ engines: [{ imitates: 'llamacpp' }] });
    engine.override('/health', reply(500));
    await expect.poll(() => healthOf('b0')).toBe('down');
    expect((await chat()).status).toBe(200);
    expect(await metric('switchyard_model_panic', { model: 'test-model' })).toBe(1);
    engine.override('/health', []);
    await expect.poll(() => healthOf('b0')).toBe('up');
    expect(await metric('switchyard_model_panic', { model: 'test-model' })).toBe(0);
    const said = log.filter(({ panic }) => panic !== undefined).map(({ model, panic }) => [model, panic]);
    expect(said).toEqual([
      ['test-model', true],
      ['test-model', false],
    ]);
  });

  it('is believed in any case with the panic rule off, and the caller told when the next probe is due', async () => {
    const { engine, chat } = await start({
      panicRatio: 1,
      engines: [
        {
          imitates: 'vllm',
          health: 'down',
          backend: { models: ['test-model'], probe: { ...quickProbe, intervalMs: 20_000 } },
        },
      ],
    });
    expect(healthOf('b0')).toBe('down');
    const response = await chat();
    expect([response.status, response.headers.get('x-switchyard-attempts')]).toEqual([503, '0']);
    const seconds = Number(response.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThanOrEqual(24);
    expect(engine.posts).toHaveLength(0);
  });

  it('asks a backend that came back for its models again', async () => {
    const { engine } = await start();
    await engine.crash();
    await expect.poll(() => healthOf('b0')).toBe('down');
    engine.setModels(['new-model']);
    await engine.listen();
    await expect.poll(ids).toEqual(['new-model']);
  });

  it('does not take one miss for an outage', async () => {
    const { engine, chat } = await start({
      engines: [{ imitates: 'llamacpp', backend: { probe: { ...quickProbe, downAfter: 3 } } }],
    });
    engine.override('/health', [reply(500), reply(500)]);
    await expect.poll(() => engine.journal.filter(({ path }) => path === '/health').length).toBeGreaterThan(5);
    expect(
      current()
        .log.filter(({ msg }) => msg === 'backend changed')
        .map(({ health }) => health),
    ).toEqual(['up']);
    expect((await chat()).status).toBe(200);
  });

  it('knows loading from down, and sends nothing there meanwhile', async () => {
    const { engine, chat } = await start({ engines: [{ imitates: 'llamacpp' }] });
    await engine.setHealth('loading');
    await expect.poll(() => healthOf('b0')).toBe('loading');
    expect((await chat()).status).toBe(503);
    expect(engine.posts).toHaveLength(0);
  });

  it('sees a vLLM that sleeps although its health is green', async () => {
    const { engine, chat } = await start();
    await engine.setHealth('asleep');
    await expect.poll(() => healthOf('b0')).toBe('asleep');
    expect((await chat()).status).toBe(503);
    expect(engine.posts).toHaveLength(0);
    await engine.setHealth('up');
    await expect.poll(() => healthOf('b0')).toBe('up');
  });

  it('tells a wrong credential of the fleet from a backend that is down', async () => {
    await start({ engines: [{ imitates: 'vllm', apiKey: 'right', backend: { bearer: 'wrong' } }] });
    await expect.poll(() => healthOf('b0')).toBe('misconfigured');
    expect(await current().metric('switchyard_backend_health', { backend: 'b0', state: 'misconfigured' })).toBe(1);
  });

  it('leaves a backend alone by its own word only where that is about load', async () => {
    const { engine, chat } = await start();
    engine.respond([reply(401, { error: 'Unauthorized' }, { 'retry-after': '30' })]);
    expect((await chat()).status).toBe(401);
    expect((await chat()).status).toBe(200);
  });

  it('ends in time where no connection comes about, however long that may take by itself', async () => {
    const hole = await startBlackHole();
    const slow = { timeouts: { ...timeouts, connectMs: 600_000 }, probe: { ...quickProbe, timeoutMs: 100 } };
    await start({ engines: [], others: [{ name: 'hole', url: hole.url, ...slow }] });
    expect(healthOf('hole')).toBe('down');
    await current().service.stop();
    await hole.close();
  });

  it('looks again where nothing told what runs there', async () => {
    const { engine } = await start({
      engines: [{ imitates: 'tgi', health: 'loading', backend: { engine: 'auto' } }],
    });
    engine.override('/info', reply(503));
    await engine.setHealth('up');
    await expect.poll(() => current().service.states[0]?.engine).toBe('openai');
    engine.override('/info', []);
    await engine.crash();
    await expect.poll(() => healthOf('b0')).toBe('down');
    await engine.listen();
    await expect.poll(() => current().service.states[0]?.engine).toBe('tgi');
  });

  it('waits for a slow SGLang instead of calling it down', async () => {
    const { engine } = await start({
      engines: [{ imitates: 'sglang', healthDelayMs: 1_200, backend: { probe: { upAfter: 2, downAfter: 3 } } }],
    });
    expect(healthOf('b0')).toBe('up');
    expect(engine.journal.filter(({ path }) => path === '/health')).toHaveLength(1);
  });
});

describe('what is wrong with a backend', () => {
  const problems = async () => {
    const { port } = current().service.adminAddress ?? {};
    const report = await (await fetch(`http://127.0.0.1:${port}/fleet`)).text();
    return JSON.parse(report).backends.map(({ problem }: { readonly problem: unknown }) => problem);
  };

  it('is told in a few words for as long as its probes fail', async () => {
    const hole = await startBlackHole();
    const { engine } = await start({
      admin: {},
      engines: [
        { imitates: 'vllm', health: 'loading' },
        { imitates: 'vllm', apiKey: 'another' },
        { imitates: 'llamacpp', health: 'loading' },
      ],
      others: [
        { name: 'refuses', url: 'http://127.0.0.1:9', probe: quickProbe },
        { name: 'unnamed', url: 'http://nothing.invalid:9', probe: quickProbe },
        { name: 'silent', url: hole.url, probe: { ...quickProbe, timeoutMs: 100 } },
        { name: 'auto', engine: 'auto', url: 'http://127.0.0.1:9', probe: quickProbe },
      ],
    });
    const others = ['connection refused', 'name not found', 'timed out', 'connection refused'];
    await expect
      .poll(problems)
      .toEqual(['connection refused', 'HTTP 401 at /v1/models', 'HTTP 503 at /health', ...others]);
    await engine.setHealth('up');
    await expect.poll(async () => (await problems())[0]).toBeNull();
    await hole.close();
  });
});

describe('readiness', () => {
  it('comes once every backend was asked, whether or not it answered', async () => {
    const { get, chat } = await start({ others: [{ name: 'nobody', url: 'http://127.0.0.1:9', probe: quickProbe }] });
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/livez')).status).toBe(200);
    expect((await chat({ model: 'unheard-of' })).status).toBe(404);
  });

  it('until then an unknown model is not called unknown', async () => {
    const { startService } = await import('../../src/service.ts');
    const { startScriptedEngine } = await import('../support/scripted-engine.ts');
    const { pino } = await import('pino');
    const engine = await startScriptedEngine({ imitates: 'vllm', health: 'hang' });
    const service = await startService(
      aFleet({ backends: [{ name: 'slow', url: engine.url, probe: { ...quickProbe, timeoutMs: 30_000 } }] }),
      {
        log: pino({ level: 'silent' }),
        version: 'test',
      },
    );
    const url = `http://127.0.0.1:${service.address.port}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    const response = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"x","prompt":""}',
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { type: 'no_backend' } });
    await service.stop();
    await engine.close();
  });
});

describe('/v1/models', () => {
  it('is stable, de-duplicated, and says what is known', async () => {
    await start({
      engines: [
        { imitates: 'llamacpp', models: ['b-model'], contextTokens: 4096 },
        { imitates: 'vllm', models: ['b-model', 'a-model'], contextTokens: 8192 },
      ],
      models: { named: { aliases: ['gpt-4o'], backendNames: new Map([['b1', 'a-model']]) } },
    });
    const list = await listed();
    expect(list.map(({ id, root }) => [id, root])).toEqual([
      ['named', 'named'],
      ['gpt-4o', 'named'],
      ['b-model', 'b-model'],
    ]);
    expect(list[2]).toMatchObject({
      object: 'model',
      owned_by: 'switchyard',
      context_length: 8192,
      capabilities: expect.any(Object),
    });
    expect(await listed()).toEqual(list);
  });

  it('has single entries too, also for names with a slash', async () => {
    const { get } = await start({ engines: [{ imitates: 'vllm', models: ['org/name'] }] });
    for (const id of ['org/name', 'org%2Fname'])
      expect(await (await get(`/v1/models/${id}`)).json()).toMatchObject({ id: 'org/name' });
    expect((await get('/v1/models/nope')).status).toBe(404);
    expect((await get('/v1/models/%zz')).status).toBe(400);
  });
});
