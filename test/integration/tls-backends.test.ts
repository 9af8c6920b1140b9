// TLS on the way to backends: who is trusted, who we are, and what is said when hands are not shaken.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/fleet/fleet.ts';
import type { BackendTls } from '../../src/fleet/tls.ts';
import { authoritiesOfTest, type Signed } from '../support/certificates.ts';
import { readUntil } from '../support/read-until.ts';
import { quickProbe, routerPerTest, type RouterWishes, type RunningRouter } from '../support/running-router.ts';
import { answer } from '../support/scripted/behaviours.ts';
import { enginesOfTest } from '../support/scripted/engines-of-test.ts';
import { secureFronts } from '../support/secure-front.ts';

const startEngine = enginesOfTest();
const startFront = secureFronts();
const { start } = routerPerTest();
const makeAuthority = authoritiesOfTest();
const authority = makeAuthority();
const stranger = makeAuthority();
const good = authority.sign();

const trusting = (more: Omit<BackendTls, 'fingerprint'> = {}): BackendTls => ({
  ...more,
  fingerprint: JSON.stringify(more),
});

async function behind(front: Omit<Parameters<typeof startFront>[0], 'enginePort'>, host = 'localhost') {
  const engine = await startEngine({ imitates: 'vllm' });
  const opened = await startFront({ ...front, enginePort: engine.port });
  return { engine, front: opened, url: `https://${host}:${opened.port}` };
}

const only = (url: string, more: Partial<Backend> = {}): RouterWishes => ({
  engines: [],
  others: [{ name: 'gpu-a', url, probe: quickProbe, models: ['test-model'], ...more }],
});

const saidOfTls = ({ log }: RunningRouter) => log.filter((line) => line.tls !== undefined).map(({ msg }) => msg);

describe('a backend behind TLS', () => {
  it('is reached where its CA is the one in the fleet file, for probes and requests alike', async () => {
    const { url } = await behind(good);
    const router = await start(only(url, { tls: trusting({ ca: authority.ca }) }));
    expect((await router.chat()).status).toBe(200);
    expect(router.service.states[0]?.health).toBe('up');
    expect(router.log.filter((line) => line.tls !== undefined)).toEqual([]);
  });

  it('may have another name than its URL, which is asked for and checked', async () => {
    const { url, front } = await behind(authority.sign({ names: 'DNS:gpu.internal' }), '127.0.0.1');
    const router = await start(only(url, { tls: trusting({ ca: authority.ca, serverName: 'gpu.internal' }) }));
    expect((await router.chat()).status).toBe(200);
    expect(new Set(front.asked)).toEqual(new Set(['gpu.internal']));
  });

  it('is shown the certificate of the router where it asks for one', async () => {
    const { url, front } = await behind({ ...good, ca: authority.ca, requestCert: true });
    const { cert, key } = authority.sign();
    const router = await start(only(url, { tls: trusting({ ca: authority.ca, cert, key }) }));
    expect((await router.chat()).status).toBe(200);
    expect(front.clients[0]).toMatch(/^test \d+$/);
  });

  it.each([
    ['of another CA', () => stranger.sign(), 'tls_untrusted', 'has a certificate that is not trusted: set tls.ca_file'],
    [
      'for another name',
      () => authority.sign({ names: 'DNS:elsewhere.example' }),
      'tls_name',
      'has a certificate for another name: set tls.server_name, or correct its URL',
    ],
    [
      'that has expired',
      () => authority.sign({ until: '20200201000000Z' }),
      'tls_expired',
      'has a certificate that has expired or is not valid yet: renew it there',
    ],
  ] as const)('with a certificate %s is not asked; callers and the log are told why', async (_what, sign, tls, why) => {
    const says = `Backend "gpu-a" ${why}`;
    const { url, engine, front } = await behind(good);
    const patient = { ...quickProbe, intervalMs: 600_000 };
    const router = await start(only(url, { tls: trusting({ ca: authority.ca }), probe: patient }));
    const asked = engine.journal.length;
    front.become(sign());
    const response = await router.chat();
    expect([response.status, await response.text()]).toEqual([
      502,
      expect.stringContaining(JSON.stringify(`${says}.`)),
    ]);
    const { fleet } = router.service;
    const hasty = fleet.backends.map((backend) => ({ ...backend, probe: quickProbe }));
    await router.service.apply({ ...fleet, backends: hasty }, { allowEmpty: true });
    await vi.waitFor(() => expect(saidOfTls(router)).toEqual([says]));
    expect(engine.journal).toHaveLength(asked);
    expect(JSON.stringify(router.log)).not.toMatch(/elsewhere|test CA|BEGIN|CN=/);
    const labels = { backend: 'gpu-a', reason: tls };
    expect(await router.metric('switchyard_backend_probe_failures_total', labels)).toBeGreaterThan(0);
  });

  it.each([
    ['is signed by nobody known', 'has a certificate that is not trusted: set tls.ca_file'],
    ['does not speak TLS at all', 'does not speak TLS: write http:// in its URL, or another port'],
  ])('that %s says so once in the log, however often it is probed', async (what, why) => {
    const { url, engine } = await behind(good);
    const router = await start(only(/known/.test(what) ? url : `https://127.0.0.1:${engine.port}`));
    const failures = () => router.metric('switchyard_backend_probe_failures_total', { backend: 'gpu-a' });
    await vi.waitFor(async () => expect(await failures()).toBeGreaterThan(2));
    expect(saidOfTls(router)).toEqual([`Backend "gpu-a" ${why}`]);
  });

  it('is said to be well again, once, when its certificate is', async () => {
    const { url, front } = await behind(stranger.sign());
    const router = await start(only(url, { tls: trusting({ ca: authority.ca }) }));
    front.become(good);
    await vi.waitFor(() => expect(router.service.states[0]?.health).toBe('up'));
    expect((await router.chat()).status).toBe(200);
    expect(router.log.filter((line) => line.tls !== undefined).map((line) => line.tls)).toEqual([
      'tls_untrusted',
      'ok',
    ]);
  });
});

describe('another certificate towards a backend', () => {
  it('is used by new connections, and a stream on the old ones is not cut', async () => {
    const { url, front, engine } = await behind({ ...good, ca: authority.ca, requestCert: true });
    const [old, next] = [authority.sign(), authority.sign()];
    const own = ({ cert, key }: Signed) => trusting({ ca: authority.ca, cert, key });
    const router = await start(only(url, { tls: own(old) }));
    engine.respond([answer({ count: 20, gapMs: 25 })]);
    const reader = await readUntil(await router.chat({ stream: true }), 't2 ');
    const { fleet } = router.service;
    const applied = await router.service.apply({
      ...fleet,
      backends: fleet.backends.map((backend) => ({ ...backend, tls: own(next) })),
    });
    expect(applied.result).toBe('applied');
    expect((await router.chat()).status).toBe(200);
    expect(new Set(front.clients).size).toBe(2);
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += Buffer.from(part.value).toString();
    expect(rest).toContain('[DONE]');
    await vi.waitFor(() => expect(router.service.counts()).toMatchObject({ states: 1, leaving: 0, connections: 1 }));
  });
});

describe('a backend that checks certificates as OpenSSL does', () => {
  const running: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of running.splice(0)) {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
  });

  async function startOpenssl(version: string): Promise<number> {
    const own = ['-cert', good.certFile, '-key', good.keyFile, '-CAfile', authority.caFile];
    const args = [
      's_server',
      '-accept',
      '127.0.0.1:0',
      '-Verify',
      '2',
      '-verify_return_error',
      '-www',
      version,
      ...own,
    ];
    const child = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    running.push(child);
    let said = '';
    for await (const chunk of child.stdout) {
      said += String(chunk);
      const port = /ACCEPT \S+:(\d+)/.exec(said)?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error(`openssl did not listen: ${said}`);
  }

  it.each([
    ['-tls1_3', 'none', 'asks for a client certificate: set tls.cert_file and tls.key_file'],
    ['-tls1_3', 'of a stranger', 'refuses the client certificate of the router: see tls.cert_file'],
    ['-tls1_2', 'of a stranger', 'refuses the client certificate of the router: see tls.cert_file'],
    [
      '-tls1_2',
      'none',
      'and the router agreed on no TLS handshake: it may want a client certificate (tls.cert_file), or not speak TLS 1.2',
    ],
  ])('(%s) says what it wants of a router whose certificate is %s', async (version, which, why) => {
    const port = await startOpenssl(version);
    const { cert, key } = stranger.sign();
    const ours = trusting({ ca: authority.ca, ...(which === 'none' ? {} : { cert, key }) });
    const router = await start(only(`https://127.0.0.1:${port}`, { tls: ours }));
    await vi.waitFor(() => expect(saidOfTls(router)).toEqual([`Backend "gpu-a" ${why}`]));
  });
});
