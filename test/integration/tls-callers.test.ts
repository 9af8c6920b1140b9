// A router that speaks TLS to its callers: the same answers, cuts and accounts as over plain HTTP, and certificates that are
// exchanged while it runs.
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls';
import { Agent, fetch, type RequestInit } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Fleet } from '../../src/fleet/fleet.ts';
import type { ServerTls } from '../../src/fleet/tls.ts';
import { authoritiesOfTest, type Signed } from '../support/certificates.ts';
import { routerPerTest, type RouterWishes, type RunningRouter } from '../support/running-router.ts';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';

const { start } = routerPerTest();
const makeAuthority = authoritiesOfTest();
const authority = makeAuthority();
const stranger = makeAuthority();
const [first, second] = [authority.sign(), authority.sign()];

const shown = ({ cert, key }: Signed, more: Partial<ServerTls> = {}): ServerTls => ({
  cert,
  key,
  expiresAtMs: 2_000_000_000_000,
  ...more,
});

const agents: Agent[] = [];
const sockets: TLSSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
});

function agent(more: Partial<Signed> = {}): Agent {
  const { cert, key } = more;
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  const made = new Agent({ connect: { ca: authority.ca, ...own }, allowH2: true });
  agents.push(made);
  return made;
}

function startSecure(more: Partial<ServerTls> = {}, wishes: RouterWishes = {}): Promise<RunningRouter> {
  return start({ ...wishes, server: { ...wishes.server, tls: shown(first, more) } });
}

function ask({ port }: RunningRouter, body: object, init: RequestInit = {}) {
  return fetch(`https://localhost:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }], ...body }),
    dispatcher: agent(),
    ...init,
  });
}

/** A connection over which hands are shaken already. */
async function open({ port }: Pick<RunningRouter, 'port'>, more: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.ca, servername: 'localhost', ...more });
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

const nameOf = (socket: TLSSocket): PeerCertificate['subject']['CN'] => socket.getPeerCertificate().subject.CN;

describe('a router that speaks TLS', () => {
  it('answers plain requests and streams, over HTTP/1.1 also to who would rather have HTTP/2', async () => {
    const router = await startSecure();
    const plain = await ask(router, {});
    expect([plain.status, plain.headers.get('x-switchyard-backend')]).toEqual([200, 'b0']);
    const stream = await ask(router, { stream: true });
    expect(await stream.text()).toContain('data: [DONE]');
    const socket = await open(router, { ALPNProtocols: ['http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
  });

  it('refuses protocols before TLS 1.2', async () => {
    const router = await startSecure();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    await expect(open(router, old)).rejects.toThrow(/protocol/);
    await expect(open(router, { maxVersion: 'TLSv1.2' })).resolves.toBeDefined();
  });

  it('lets go of the backend when its caller hangs up in the middle of a stream', async () => {
    const router = await startSecure();
    router.engine.respond([stallsAfter(3)]);
    const gone = new AbortController();
    const response = await ask(router, { stream: true }, { signal: gone.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    gone.abort();
    await vi.waitFor(() => expect(router.engine.abortsSeen).toBe(1));
    await vi.waitFor(() => expect(router.service.held().running).toBe(0));
  });

  it('ends a stream that breaks with an error event and a transport that is visibly cut', async () => {
    const router = await startSecure();
    router.engine.respond([answer({ count: 6, cut: { of: 'events', after: 3, how: 'reset' } })]);
    const reader = (await ask(router, { stream: true })).body?.getReader();
    let text = '';
    const reading = (async () => {
      for (;;) {
        const part = await reader?.read();
        if (part === undefined || part.done) return 'complete';
        text += Buffer.from(part.value).toString();
      }
    })();
    await expect(reading).rejects.toThrow('terminated');
    expect(text).toContain('"type":"backend_broken"');
    expect(text).not.toContain('[DONE]');
  });

  it('takes no harm from who does not shake hands, and serves the others', async () => {
    const router = await startSecure({}, { headTimeoutMs: 300 });
    const silent = connectPlain(router.port, '127.0.0.1');
    const closed = once(silent, 'close');
    const plain = connectPlain(router.port, '127.0.0.1', () => plain.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'));
    const noise = connectPlain(router.port, '127.0.0.1', () => noise.write(Buffer.alloc(400, 0xff)));
    for (const socket of [silent, plain, noise]) socket.on('error', () => {}).resume();
    await Promise.all([once(plain, 'close'), once(noise, 'close')]);
    const reset = connectPlain(router.port, '127.0.0.1', () => reset.resetAndDestroy());
    expect((await ask(router, {})).status).toBe(200);
    // Its time to do so is over.
    await closed;
  });

  it('answers a head that is none with the usual envelope', async () => {
    const router = await startSecure();
    const socket = await open(router);
    let said = '';
    socket.on('data', (chunk) => (said += String(chunk)));
    socket.write('nonsense\r\n\r\n');
    await once(socket, 'close');
    expect(said).toMatch(/^HTTP\/1\.1 400 [^]*"type":"invalid_request"/);
  });

  it('stops at once also while somebody is shaking hands, and closes what is idle', async () => {
    const router = await startSecure({}, { headTimeoutMs: 60_000 });
    const silent = connectPlain(router.port, '127.0.0.1');
    await once(silent, 'connect');
    const idle = await open(router);
    const closings = [silent, idle].map((socket) => once(socket.resume(), 'close'));
    await router.service.stop();
    await Promise.all(closings);
    expect([silent.destroyed, idle.destroyed]).toEqual([true, true]);
  });

  it('finishes what runs when it stops', async () => {
    const router = await startSecure();
    router.engine.respond([answer({ count: 10, gapMs: 20 })]);
    const response = await ask(router, { stream: true });
    const stopped = router.service.stop({ delayMs: 0, timeoutMs: 10_000 });
    expect(await response.text()).toContain('[DONE]');
    await stopped;
  });

  it('cuts off what still runs at the end of its time, and says so', async () => {
    const router = await startSecure();
    router.engine.respond([hang('head')]);
    const response = ask(router, {});
    await vi.waitFor(() => expect(router.service.held().running).toBe(1));
    await router.service.stop();
    expect((await response).status).toBe(503);
  });
});

describe('client certificates', () => {
  it('are asked for where there is a CA for them', async () => {
    const router = await startSecure({ clientCa: authority.ca });
    expect((await ask(router, {}, { dispatcher: agent(authority.sign()) })).status).toBe(200);
    await expect(ask(router, {})).rejects.toThrow('fetch failed');
    await expect(ask(router, {}, { dispatcher: agent(stranger.sign()) })).rejects.toThrow('fetch failed');
    expect(router.engine.posts).toHaveLength(1);
  });
});

describe('certificates of the router', () => {
  const withTls = ({ service: { fleet } }: RunningRouter, tls: ServerTls): Fleet => ({
    ...fleet,
    server: { ...fleet.server, tls },
  });

  it('still go with the CA for those of callers where a file that names none needs a restart for that', async () => {
    const router = await startSecure({ clientCa: authority.ca });
    await router.service.apply(withTls(router, shown(second)));
    expect((await ask(router, {}, { dispatcher: agent(authority.sign()) })).status).toBe(200);
    await expect(ask(router, {}, { dispatcher: agent(stranger.sign()) })).rejects.toThrow('fetch failed');
  });

  it('are exchanged for new connections, while a stream on an old one goes on', async () => {
    const router = await startSecure();
    router.engine.respond([answer({ count: 20, gapMs: 25 })]);
    const response = await ask(router, { stream: true });
    const before = await open(router);
    await router.service.apply(withTls(router, shown(second, { expiresAtMs: 2_100_000_000_000 })));
    expect(nameOf(await open(router))).not.toBe(nameOf(before));
    expect(await response.text()).toContain('[DONE]');
    before.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(before, 'data');
    const metrics = await fetch(`https://localhost:${router.port}/metrics`, { dispatcher: agent() });
    expect(await metrics.text()).toContain(
      'switchyard_tls_certificate_expiry_timestamp_seconds{listener="callers"} 2100000000',
    );
  });

  it('are shown by the admin listener too, and exchanged there', async () => {
    const router = await start({ admin: { tls: shown(first) } });
    const port = router.service.adminAddress?.port;
    if (port === undefined) throw new Error('no admin listener');
    const live = () => fetch(`https://localhost:${port}/livez`, { dispatcher: agent() });
    expect((await live()).status).toBe(200);
    const before = await open({ port });
    const { fleet } = router.service;
    if (fleet.admin === undefined) throw new Error('no admin settings');
    await router.service.apply({ ...fleet, admin: { ...fleet.admin, tls: shown(second) } });
    expect(nameOf(await open({ port }))).not.toBe(nameOf(before));
    expect((await live()).status).toBe(200);
  });
});
