// Backends found by a real name server: they come and go while the router runs, and no answer of it takes the fleet away.
import { describe, expect, it, vi } from 'vitest';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { Group } from '../../src/fleet/discovery.ts';
import { aBackend } from '../support/a-fleet.ts';
import { type NameServer, nameServers } from '../support/name-server.ts';
import { readUntil } from '../support/read-until.ts';
import { quickProbe, routerPerTest, type RouterWishes, type RunningRouter } from '../support/running-router.ts';
import { answer } from '../support/scripted/behaviours.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';

const startEngine = enginesOfTest();
const startNames = nameServers();
const { start } = routerPerTest();
const everyMs = 100;

const group = (more: Partial<Group> = {}): Group => ({
  name: 'lab',
  template: aBackend({ name: 'lab', engine: 'vllm', probe: quickProbe }),
  scheme: 'http',
  source: { kind: 'dns', name: '_llm._tcp.lab.test' },
  everyMs,
  ...more,
});

const names = ({ service }: RunningRouter) => service.fleet.backends.map(({ name }) => name);

function startFound(server: NameServer, wishes: RouterWishes = {}): Promise<RunningRouter> {
  const answerers = { names: server.resolver };
  return start({ engines: [], groups: [group()], answerers, ...wishes });
}

const at = (host: string, port: number, more: object = {}) => ({ name: host, port, ...more });

/** Boxes whose names the system can look up: the name server of the test is not the one of the system. */
async function box(host = '127.0.0.1') {
  const engine = await startEngine({ imitates: 'vllm', host });
  return { engine, host, port: engine.port, backend: `lab/${host}:${engine.port}` };
}

describe('backends behind SRV records', () => {
  it('serve from the start on, and come and go with the records', async () => {
    const server = await startNames();
    const [one, two] = [await box(), await box('127.0.0.2')];
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    const router = await startFound(server);
    expect(names(router)).toEqual([one.backend]);
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe(one.backend);
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port), at(two.host, two.port)] });
    await vi.waitFor(() => expect(names(router)).toEqual([one.backend, two.backend]));
    server.names.set('_llm._tcp.lab.test', { servers: [at(two.host, two.port)] });
    await vi.waitFor(() => expect(names(router)).toEqual([two.backend]));
    expect((await router.chat()).headers.get('x-switchyard-backend')).toBe(two.backend);
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1 }));
    const metrics = await (await router.get('/metrics')).text();
    expect(metrics).not.toContain(one.backend);
    expect(metrics).toContain('switchyard_discovered_backends{group="lab"} 1');
    expect(router.log.filter(({ discovery }) => discovery === 'changed').map(({ changes }) => changes)).toEqual([
      `+1 backend (${two.backend})`,
      `-1 backend (${one.backend})`,
    ]);
  });

  it('finish their streams after they have gone, and those that stay keep what is known of them', async () => {
    const server = await startNames();
    const [one, two] = [await box(), await box('127.0.0.2')];
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port), at(two.host, two.port)] });
    const router = await startFound(server);
    const known = [...router.service.states];
    for (const { engine } of [one, two]) engine.respond([answer({ count: 20, gapMs: 25 })]);
    const response = await router.chat({ stream: true });
    const [stays, leaves] = response.headers.get('x-switchyard-backend') === one.backend ? [two, one] : [one, two];
    const reader = await readUntil(response, 't2 ');
    server.names.set('_llm._tcp.lab.test', { servers: [at(stays.host, stays.port)] });
    await vi.waitFor(() => expect(names(router)).toEqual([stays.backend]));
    expect(leaves.engine.inFlight).toBe(1);
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += Buffer.from(part.value).toString();
    expect(rest).toContain('[DONE]');
    expect(router.service.states[0]).toBe(known.find(({ name }) => name === stays.backend));
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0 }));
  });

  async function troubled(trouble: 'failure' | 'silence' | 'no such name' | 'empty') {
    const server = await startNames();
    const one = await box();
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    const router = await startFound(server);
    server.names.set('_llm._tcp.lab.test', trouble);
    return { server, one, router };
  }

  /** Told once each, and everything is as it was. */
  async function comesBack({ server, one, router }: Awaited<ReturnType<typeof troubled>>): Promise<void> {
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    await vi.waitFor(async () => expect(await router.metric('switchyard_discovery_up', { group: 'lab' })).toBe(1));
    await vi.waitFor(async () => expect((await router.chat()).status).toBe(200));
    const told = router.log.filter(({ discovery }) => discovery === 'failed');
    expect(told.map(({ group: name, kept }) => [name, kept])).toEqual([['lab', 1]]);
  }

  it.each(['failure', 'silence'] as const)('stay while the server answers with %s', async (trouble) => {
    const on = await troubled(trouble);
    const before = on.server.asked;
    await vi.waitFor(() => expect(on.server.asked).toBeGreaterThan(before + 6), { timeout: 10_000 });
    expect(names(on.router)).toEqual([on.one.backend]);
    expect((await on.router.chat()).status).toBe(200);
    await comesBack(on);
    expect(on.router.log.filter(({ discovery }) => discovery === 'ok')).toHaveLength(1);
  });

  it.each(['no such name', 'empty'] as const)('leave after some rounds of %s, and come back', async (trouble) => {
    const on = await troubled(trouble);
    await vi.waitFor(() => expect(names(on.router)).toEqual([]), { timeout: 10_000 });
    await comesBack(on);
  });

  it('are only those of the lowest priority', async () => {
    const server = await startNames();
    const [one, two] = [await box(), await box('127.0.0.2')];
    server.names.set('_llm._tcp.lab.test', {
      servers: [at(one.host, one.port, { priority: 20 }), at(two.host, two.port, { priority: 10 })],
    });
    const router = await startFound(server);
    expect(names(router)).toEqual([two.backend]);
  });

  it('can be drained by name', async () => {
    const server = await startNames();
    const one = await box();
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    const router = await startFound(server);
    expect(router.service.drain(one.backend, true)).toMatchObject({ state: 'draining' });
    expect((await router.chat()).status).toBe(503);
    router.service.drain(one.backend, false);
    expect((await router.chat()).status).toBe(200);
  });
});

describe('addresses of a name', () => {
  it('are backends on the port that is given, beside those that are listed', async () => {
    const server = await startNames();
    const engine = await startEngine({ imitates: 'vllm' });
    server.names.set('boxes.test', { addresses: ['127.0.0.1', '127.0.0.2'] });
    const source = { kind: 'dns' as const, name: 'boxes.test', port: engine.port };
    const router = await startFound(server, { engines: [{ imitates: 'vllm' }], groups: [group({ source })] });
    expect(names(router)).toEqual(['b0', `lab/127.0.0.1:${engine.port}`, `lab/127.0.0.2:${engine.port}`]);
  });
});

describe('a reload', () => {
  it('keeps what was found, takes over new settings of the group, and has a new group ready before it takes over', async () => {
    const server = await startNames();
    const [one, two] = [await box(), await box('127.0.0.2')];
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    server.names.set('_new._tcp.lab.test', { servers: [at(two.host, two.port)] });
    const router = await startFound(server);
    const state = router.service.states[0];
    const file: Fleet = { ...router.service.fleet, backends: [] };
    const heavier = group({ template: { ...group().template, weight: 7 } });
    const applied = await router.service.apply({ ...file, groups: [heavier] });
    expect(applied).toMatchObject({ result: 'applied', changes: { removed: [], parts: ['groups'] } });
    expect(router.service.states[0]).toBe(state);
    expect(router.service.fleet.backends[0]?.weight).toBe(7);
    const other = group({ name: 'new', source: { kind: 'dns', name: '_new._tcp.lab.test' } });
    expect((await router.service.apply({ ...file, groups: [other] })).result).toBe('applied');
    expect(names(router)).toEqual([`new/${two.host}:${two.port}`]);
    expect((await router.chat()).status).toBe(200);
    const metrics = await (await router.get('/metrics')).text();
    expect(metrics).not.toContain('group="lab"');
  });

  it('that is refused leaves the groups as they were', async () => {
    const server = await startNames();
    const one = await box();
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    const router = await startFound(server);
    const nobody = group({ name: 'gone', source: { kind: 'dns', name: '_gone._tcp.lab.test' } });
    const refused = await router.service.apply({ ...router.service.fleet, backends: [], groups: [nobody] });
    expect(refused).toMatchObject({ result: 'refused', passing: true });
    const asked = server.asked;
    await vi.waitFor(() => expect(server.asked).toBeGreaterThan(asked + 1));
    expect(names(router)).toEqual([one.backend]);
  });

  it('at the same time as an answer loses neither', async () => {
    const server = await startNames();
    const [one, two] = [await box(), await box('127.0.0.2')];
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    const router = await startFound(server);
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port), at(two.host, two.port)] });
    const file: Fleet = {
      ...router.service.fleet,
      backends: [],
      routing: { ...router.service.fleet.routing, slowStartMs: 1 },
    };
    await router.service.apply(file);
    await vi.waitFor(() => expect(names(router)).toEqual([one.backend, two.backend]));
    expect(router.service.fleet.routing.slowStartMs).toBe(1);
  });
});

describe('a stop', () => {
  it('in the middle of a reload ends both, and the reload is refused', async () => {
    const server = await startNames();
    const one = await box();
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    server.names.set('_new._tcp.lab.test', 'silence');
    const router = await startFound(server, { engines: [{ imitates: 'vllm' }] });
    const slow = group({ name: 'new', source: { kind: 'dns', name: '_new._tcp.lab.test' } });
    const backends = router.service.fleet.backends.filter(({ name }) => name === 'b0');
    const applied = router.service.apply({ ...router.service.fleet, backends, groups: [group(), slow] });
    await router.service.stop();
    expect(await applied).toMatchObject({ result: 'refused' });
    expect(router.log.filter(({ discovery }) => discovery === 'changed')).toEqual([]);
  });
});

describe('a router whose name server is silent', () => {
  it('starts with what is listed, and tells callers of other models to come again', async () => {
    const server = await startNames();
    server.names.set('_llm._tcp.lab.test', 'silence');
    const router = await startFound(server, { engines: [{ imitates: 'vllm' }] });
    expect((await router.chat()).status).toBe(200);
    expect((await router.chat({ model: 'of-the-group' })).status).toBe(503);
  });

  it('is not ready while it knows nobody to ask, and tells callers to come again', async () => {
    const server = await startNames();
    const one = await box();
    server.names.set('_llm._tcp.lab.test', 'failure');
    const router = await startFound(server, { waitUntilDiscovered: false });
    expect((await router.get('/readyz')).status).toBe(503);
    const response = await router.chat();
    expect([response.status, await response.json()]).toMatchObject([503, { error: { type: 'no_backend' } }]);
    server.names.set('_llm._tcp.lab.test', { servers: [at(one.host, one.port)] });
    await router.service.discovered;
    expect((await router.get('/readyz')).status).toBe(200);
    expect((await router.chat()).status).toBe(200);
  });

  it('is ready when it has heard that there is nobody', async () => {
    const server = await startNames();
    server.names.set('_llm._tcp.lab.test', 'failure');
    const router = await startFound(server, { waitUntilDiscovered: false });
    server.names.set('_llm._tcp.lab.test', 'empty');
    await router.service.discovered;
    expect((await router.get('/readyz')).status).toBe(200);
    expect((await router.chat()).status).toBe(404);
  });

  it('knows the models that the file says of a group, also when it has heard that there is nobody', async () => {
    const server = await startNames();
    server.names.set('_llm._tcp.lab.test', 'empty');
    const template = { ...group().template, models: ['test-model'] };
    const router = await startFound(server, { groups: [group({ template })] });
    const response = await router.chat();
    expect([response.status, await response.json()]).toMatchObject([503, { error: { type: 'no_backend' } }]);
    expect((await router.chat({ model: 'other' })).status).toBe(404);
  });
});
