// Another fleet under traffic: what stays, what comes, what leaves, and that nothing is held of what has left.
import { describe, expect, it, vi } from 'vitest';
import type { Backend, Fleet } from '../../src/fleet/fleet.ts';
import { quickProbe, routerPerTest, type RunningRouter } from '../support/running-router.ts';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';
import { readUntil } from '../support/read-until.ts';

const startEngine = enginesOfTest();
const { start } = routerPerTest();

/** The running fleet with other backends. */
function withBackends({ service }: RunningRouter, backends: readonly Backend[]): Fleet {
  return { ...service.fleet, backends };
}

function first({ service }: RunningRouter): Backend {
  const [backend] = service.fleet.backends;
  if (backend === undefined) throw new Error('no backend');
  return backend;
}

const another = (url: string, more: Partial<Backend> = {}) => ({ name: 'other', url, probe: quickProbe, ...more });

async function text(reader: Awaited<ReturnType<typeof readUntil>>): Promise<string> {
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return rest;
    rest += Buffer.from(value).toString();
  }
}

const slow = answer({ count: 20, gapMs: 25 });

describe('a stream that runs while the fleet is exchanged', () => {
  it('goes on where its backend stays, and its place stays taken', async () => {
    const router = await start({ engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }] });
    router.engine.respond([slow]);
    const reader = await readUntil(await router.chat({ stream: true }), 't2 ');
    const applied = await router.service.apply(withBackends(router, [{ ...first(router), weight: 5 }]));
    expect(applied.result).toBe('applied');
    expect(router.service.held().inFlight).toBe(1);
    expect((await router.chat()).status).toBe(503);
    expect(await text(reader)).toContain('[DONE]');
    expect((await router.chat()).status).toBe(200);
    expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1, probes: 1, timers: 1 });
  });

  it('is cut when the time of its backend is up, however often a reload that fails has named that backend again', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start({ server: { drainTimeoutMs: 1_000 } });
    router.engine.respond([stallsAfter(3)]);
    const reader = await readUntil(await router.chat({ stream: true }), 't2 ');
    const old = first(router);
    await router.service.apply(withBackends(router, [{ ...old, ...another(other.url) }]));
    // Nobody new gets through to it, so that a fleet of it alone is refused.
    await router.engine.refuse();
    const rest = text(reader);
    let cut = false;
    void rest.catch(() => '').then(() => (cut = true));
    await vi.waitFor(
      async () => {
        const refused = await router.service.apply(withBackends(router, [old]));
        expect([refused.result, cut]).toEqual(['refused', true]);
      },
      { timeout: 10_000, interval: 100 },
    );
    await router.engine.listen();
  });

  it('ends as usual where its backend is removed, whose connections are closed only then', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start();
    router.engine.respond([slow]);
    const reader = await readUntil(await router.chat({ stream: true }), 't2 ');
    await router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    await vi.waitFor(() =>
      expect(router.service.counts()).toMatchObject({ states: 2, leaving: 1, connections: 2, probes: 1 }),
    );
    const next = await router.chat();
    expect([next.status, next.headers.get('x-switchyard-backend')]).toEqual([200, 'other']);
    expect(router.engine.inFlight).toBe(1);
    expect(await text(reader)).toContain('[DONE]');
    await vi.waitFor(() =>
      expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1, probes: 1, timers: 1 }),
    );
    await vi.waitFor(() => expect(router.engine.openConnections).toBe(0));
    expect(router.log.filter(({ outcome }) => outcome !== undefined).map(({ outcome }) => outcome)).toEqual([
      'ok',
      'ok',
    ]);
  });

  it('is broken off when its removed backend has had its time', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start({ server: { drainTimeoutMs: 50 } });
    router.engine.respond([stallsAfter(3)]);
    const reader = await readUntil(await router.chat({ stream: true }), 't2 ');
    await router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    await expect(text(reader)).rejects.toThrow('terminated');
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1 }));
    expect(router.engine.abortsSeen).toBe(1);
  });

  it('still has its backend when that comes back before the stream has ended', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start();
    const before = router.service.fleet;
    const [state] = router.service.states;
    router.engine.respond([slow]);
    const reader = await readUntil(await router.chat({ stream: true }), 't2 ');
    await router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    await router.service.apply(before);
    expect(router.service.states[0]).toBe(state);
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('b0');
    expect(await text(reader)).toContain('[DONE]');
    await vi.waitFor(() =>
      expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1, probes: 1 }),
    );
    expect((await router.chat()).status).toBe(200);
  });
});

describe('a backend that comes back before its streams have ended', () => {
  it('is the same one still, and takes over its new settings', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start();
    const kept = first(router);
    const [state] = router.service.states;
    const member = state?.members.get('test-model');
    if (member === undefined) throw new Error('no member');
    member.holdOff = { why: 'misconfigured', untilMs: Infinity, told: false };
    const gone = new AbortController();
    router.engine.respond([stallsAfter(3)]);
    await readUntil(await router.chat({ stream: true }, { signal: gone.signal }), 't2 ');
    const joined = { ...kept, ...another(other.url) };
    await router.service.apply(withBackends(router, [joined]));
    const changed = { ...kept, bearer: 'new', circuit: { ...kept.circuit, consecutive: 1 } };
    await router.service.apply(withBackends(router, [changed, joined]));
    expect(router.service.states[0]).toBe(state);
    expect(member.holdOff).toBeUndefined();
    member.circuit.record('failure', member.circuit.enter());
    expect(member.circuit.state).toBe('open');
    gone.abort();
  });
});

describe('a backend that comes back and is not well any more', () => {
  it('does not take over what others serve', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start();
    const kept = first(router);
    const gone = new AbortController();
    router.engine.respond([stallsAfter(3)]);
    await readUntil(await router.chat({ stream: true }, { signal: gone.signal }), 't2 ');
    await router.service.apply(withBackends(router, [{ ...kept, ...another(other.url) }]));
    await router.engine.setHealth('down');
    expect(await router.service.apply(withBackends(router, [kept]))).toMatchObject({ result: 'refused' });
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('other');
    expect(router.service.held().inFlight).toBe(1);
    gone.abort();
  });
});

describe('a backend that stays', () => {
  it('keeps what is known about it, and takes over its new settings', async () => {
    const router = await start({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    const [state] = router.service.states;
    const member = state?.members.get('test-model');
    for (let n = 0; n < 5; n++) {
      const ticket = member?.circuit.enter();
      if (ticket !== undefined) member?.circuit.record('failure', ticket);
    }
    expect(member?.circuit.state).toBe('open');
    const { circuit } = first(router);
    const changed = { ...circuit, consecutive: 1, windowMs: 10_000, openForMs: 1_000 };
    const backends = router.service.fleet.backends.map((one) => ({ ...one, weight: 9, circuit: changed }));
    await router.service.apply(withBackends(router, backends));
    expect(router.service.states[0]).toBe(state);
    expect(router.service.states[0]?.members.get('test-model')).toBe(member);
    expect(member?.circuit.state).toBe('open');
    expect(router.service.counts().timers).toBe(1);
    const other = router.service.states[1]?.members.get('test-model');
    const ticket = other?.circuit.enter();
    // One failure is enough now; but the last usable member stays in.
    if (ticket !== undefined) other?.circuit.record('failure', ticket);
    expect(other?.circuit.state).toBe('closed');
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('b1');
  });

  it('has another bound on its requests at once, for those too that wait for it', async () => {
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2), answer()]);
    const gone = new AbortController();
    const held = await router.chat({ stream: true }, { signal: gone.signal });
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    await router.service.apply(withBackends(router, [{ ...first(router), maxInFlight: 2 }]));
    expect((await waiting).status).toBe(200);
    gone.abort();
    await held.text().catch(() => '');
  });

  it('is asked with its new credential, and what was held against the old one is forgotten', async () => {
    const router = await start({ engines: [{ imitates: 'vllm', apiKey: 'right', backend: { bearer: 'wrong' } }] });
    await router.service.apply(withBackends(router, [{ ...first(router), bearer: 'right' }]));
    await vi.waitFor(async () => expect((await router.chat()).status).toBe(200));
  });
});

describe('those who wait', () => {
  it('are served by a backend that was added for them', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2)]);
    const gone = new AbortController();
    const held = await router.chat({ stream: true }, { signal: gone.signal });
    const waiting = Promise.all([router.chat(), router.chat(), router.chat()]);
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(3));
    await router.service.apply(withBackends(router, [first(router), { ...first(router), ...another(other.url) }]));
    expect((await waiting).map(({ headers }) => headers.get('x-switchyard-backend'))).toEqual(Array(3).fill('other'));
    gone.abort();
    await held.text().catch(() => '');
  });

  it('serves those that a smaller new one is large enough for, past those that it is not', async () => {
    const other = await startEngine({ imitates: 'vllm', contextTokens: 1_000 });
    const router = await start({
      engines: [{ imitates: 'vllm', contextTokens: 100_000, backend: { maxInFlight: 1 } }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(2), answer()]);
    const gone = new AbortController();
    const stream = await router.chat({ stream: true }, { signal: gone.signal });
    const large = router.chat({ max_tokens: 50_000 });
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    const small = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(2));
    await router.service.apply(withBackends(router, [first(router), { ...first(router), ...another(other.url) }]));
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    expect((await small).headers.get('x-switchyard-backend')).toBe('other');
    gone.abort();
    await stream.text().catch(() => '');
    expect((await large).headers.get('x-switchyard-backend')).toBe('b0');
  });

  it('are told at once when nobody is left for their model', async () => {
    const other = await startEngine({ imitates: 'vllm', models: ['another-model'] });
    const router = await start({
      engines: [{ imitates: 'vllm', backend: { maxInFlight: 1 } }],
      queue: { maxLength: 10, maxWaitMs: 20_000 },
    });
    router.engine.respond([stallsAfter(3)]);
    const gone = new AbortController();
    await readUntil(await router.chat({ stream: true }, { signal: gone.signal }), 't2 ');
    const waiting = router.chat();
    await vi.waitFor(() => expect(router.service.held().waiting).toBe(1));
    await router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    // The one that runs goes on.
    expect(await (await waiting).json()).toMatchObject({ error: { type: 'no_backend' } });
    expect(router.service.held().inFlight).toBe(1);
    gone.abort();
  });
});

describe('a fleet that comes', () => {
  it('has asked its new backends for their models before it takes over', async () => {
    const other = await startEngine({ imitates: 'vllm', healthDelayMs: 300 });
    const router = await start();
    const applying = router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    // While they are asked the old one serves, and nothing is unknown for a moment.
    const statuses = new Set<number>();
    for (let done = false; !done; ) {
      done = await Promise.race([applying.then(() => true), router.chat().then(({ status }) => !statuses.add(status))]);
    }
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('other');
    expect([...statuses]).toEqual([200]);
    expect((await router.get('/readyz')).status).toBe(200);
  });

  it('is ready although the one it was still waiting for has left', async () => {
    const [silent, other] = await Promise.all([0, 1].map(() => startEngine({ imitates: 'vllm' })));
    if (silent === undefined || other === undefined) throw new Error('two engines');
    silent.override('/health', hang());
    const waited = another(silent.url, { name: 'silent', probe: { ...quickProbe, timeoutMs: 60_000 } });
    const router = await start({ engines: [], others: [waited], waitUntilDiscovered: false });
    await silent.when(({ openConnections }) => openConnections > 0);
    expect((await router.get('/readyz')).status).toBe(503);
    await router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    await router.service.discovered;
    expect((await router.get('/readyz')).status).toBe(200);
  });

  it('starts and ends the simulated backends it has', async () => {
    const router = await start();
    const simulate = { models: ['demo'], firstTokenMs: 1, tokensPerSecond: 1_000 };
    const { url: _, ...rest } = first(router);
    const demo: Backend = { ...rest, name: 'demo', engine: 'simulated', simulate };
    await router.service.apply(withBackends(router, [first(router), demo]));
    expect((await router.chat({ model: 'demo' })).status).toBe(200);
    const faster: Backend = { ...demo, simulate: { ...simulate, models: ['demo-2'] } };
    await router.service.apply(withBackends(router, [first(router), faster]));
    expect([(await router.chat({ model: 'demo-2' })).status, (await router.chat({ model: 'demo' })).status]).toEqual([
      200, 404,
    ]);
    await router.service.apply(withBackends(router, [first(router)]));
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ simulated: 0, states: 1, leaving: 0 }));
  });

  it('can switch a backend off and on again', async () => {
    const router = await start({ engines: [{ imitates: 'vllm' }, { imitates: 'vllm' }] });
    const [one, two] = router.service.fleet.backends;
    if (one === undefined || two === undefined) throw new Error('two backends');
    await router.service.apply(withBackends(router, [{ ...one, state: 'disabled' }, two]));
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('b1');
    expect(await router.metric('switchyard_backend_admin_state', { backend: 'b0', state: 'disabled' })).toBe(1);
    await router.service.apply(withBackends(router, [one, { ...two, state: 'disabled' }]));
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe('b0');
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ leaving: 0, connections: 1, probes: 1 }));
  });

  it('brings other keys, models, policies, bodies and headers, while what is counted against a key stays', async () => {
    const limited = { tenant: 't', sha256: '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683' };
    const auth = { mode: 'keys' as const, keys: [{ ...limited, limits: { requestsPerMinute: 2 } }] };
    const router = await start({ auth });
    const ask = (more = {}) => router.chat(more, { headers: { authorization: 'Bearer key', 'x-more': 'yes' } });
    expect((await ask()).status).toBe(200);
    const before = router.service.fleet;
    await router.service.apply({
      ...before,
      server: {
        ...before.server,
        forwardHeaders: ['x-more'],
        maxBodyBytes: 2_048,
        rateLimitHeaders: 'ietf',
        metrics: false,
      },
      auth: { ...before.auth, keys: [{ ...limited, limits: { requestsPerMinute: 3 } }] },
      models: new Map([['test-model', { aliases: ['nick'], backendNames: new Map() }]]),
      routing: { ...before.routing, policy: 'round-robin' },
    });
    const second = await ask({ model: 'nick' });
    expect([second.status, second.headers.get('ratelimit')]).toEqual([200, expect.stringContaining('r=1')]);
    expect(router.engine.posts.at(-1)?.headers['x-more']).toBe('yes');
    expect((await ask({ user: 'x'.repeat(3_000) })).status).toBe(413);
    expect((await router.get('/metrics')).status).toBe(404);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });

  it('forgets the metrics of what has left', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    const router = await start();
    await router.chat({ stream: true }).then((response) => response.text());
    expect(await (await router.get('/metrics')).text()).toContain('backend="b0"');
    await router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    await vi.waitFor(async () => {
      const metrics = await (await router.get('/metrics')).text();
      expect(metrics).not.toContain('backend="b0"');
      expect(metrics).toContain('backend="other"');
    });
  });

  it('logs at the level it says', async () => {
    const router = await start();
    const { logging } = router.service.fleet;
    await router.service.apply({ ...router.service.fleet, logging: { ...logging, level: 'error' } });
    const lines = router.log.length;
    await router.chat();
    expect(router.log.length).toBe(lines);
  });
});

describe('a fleet that would serve nothing', () => {
  it.each<[string, Partial<Backend>]>([
    ['everything is disabled', { state: 'disabled' }],
    ['everything is draining', { state: 'draining' }],
    ['nobody answers at the new address', { url: 'http://127.0.0.1:9' }],
  ])('is refused where %s, unless it is wanted', async (_why, more) => {
    const router = await start();
    const empty = withBackends(router, [{ ...first(router), ...more }]);
    expect(await router.service.apply(empty)).toMatchObject({ result: 'refused' });
    expect((await router.chat()).status).toBe(200);
    await vi.waitFor(() =>
      expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1, probes: 1 }),
    );
    expect(await router.service.apply(empty, { allowEmpty: true })).toMatchObject({ result: 'applied' });
    expect((await router.chat()).status).toBeGreaterThanOrEqual(404);
  });

  it('is taken where there was nothing to lose', async () => {
    const router = await start({ engines: [{ imitates: 'vllm', health: 'down' }] });
    const elsewhere = withBackends(router, [{ ...first(router), ...another('http://127.0.0.1:9') }]);
    expect(await router.service.apply(elsewhere)).toMatchObject({ result: 'applied' });
  });
});

describe('a hundred reloads in a row under load', () => {
  it('cost no request, and leave nothing behind', async () => {
    const others = await Promise.all([0, 1, 2].map(() => startEngine({ imitates: 'vllm' })));
    const router = await start({ engines: [{ imitates: 'vllm' }] });
    for (const engine of [router.engine, ...others]) engine.respond(answer({ count: 10, gapMs: 3 }));
    const [state] = router.service.states;
    const over = new AbortController();
    const outcomes: string[] = [];
    const caller = async (stream: boolean) => {
      while (!over.signal.aborted) {
        const response = await router.chat({ stream });
        const body = await response.text();
        outcomes.push(
          response.status === 200 && (!stream || body.includes('[DONE]')) ? 'ok' : `${response.status} ${body}`,
        );
      }
    };
    const callers = Array.from({ length: 12 }, (_, n) => caller(n % 2 === 0));
    const kept = first(router);
    for (let n = 0; n < 100; n++) {
      const { url = '' } = others[n % 3] ?? {};
      // Another box, the same box under another name, and another box under the same name.
      const joined = { ...kept, name: n % 5 === 0 ? `new-${n}` : `other-${n % 2}`, url, weight: 1 + n };
      const circuit = { ...kept.circuit, windowMs: 10_000 + n };
      const next = withBackends(router, [
        { ...kept, weight: 1 + (n % 3), circuit },
        { ...joined, circuit },
      ]);
      expect((await router.service.apply(next)).result).toBe('applied');
    }
    await router.service.apply(withBackends(router, [kept]));
    over.abort();
    await Promise.all(callers);
    expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(100);
    expect(router.service.states[0]).toBe(state);
    await vi.waitFor(() =>
      expect(router.service.counts()).toEqual({
        states: 1,
        leaving: 0,
        connections: 1,
        probes: 1,
        simulated: 0,
        timers: 1,
      }),
    );
    await vi.waitFor(() => expect(others.map(({ openConnections }) => openConnections)).toEqual([0, 0, 0]));
  });
});

describe('a router that stops', () => {
  it('does not wait for the backends it was about to take in', async () => {
    const other = await startEngine({ imitates: 'vllm' });
    other.override('/health', hang());
    const router = await start();
    const applying = router.service.apply(withBackends(router, [{ ...first(router), ...another(other.url) }]));
    await other.when(({ openConnections }) => openConnections > 0);
    await router.service.stop();
    expect(await applying).toMatchObject({ result: 'refused' });
    expect(router.service.counts()).toMatchObject({ leaving: 0, connections: 0, probes: 0 });
  });
});
