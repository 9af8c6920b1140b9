import { describe, expect, it } from 'vitest';
import { exchangeBytes, statusesOf } from '../support/raw-http.ts';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { chat, readAll, streamOver } from './caller.ts';
import { secrets, systemTest } from './of-test.ts';

const { engine: startEngine, serve, start, wire } = systemTest();

async function inFlight({ url }: { readonly url: string }): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const series = text.split('\n').filter((line) => line.startsWith('switchyard_backend_inflight_requests{'));
  if (series.length === 0) throw new Error('no such metric');
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const random = seededRandom(7);
const noise = Buffer.from(Array.from({ length: 4_096 }, () => Math.floor(random() * 256)));
const bytesOnThePort: readonly (readonly [name: string, bytes: string | Buffer, statuses: readonly number[]])[] = [
  ['noise', noise, [400]],
  ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), [400]],
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['zero bytes', Buffer.alloc(10_000), [400]],
  ['half a head', 'POST /v1/chat/completions HTTP/1.1\r\nhost', []],
  ['a head without an end', `GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}`, [431]],
  ['a negative length', 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n', [400]],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', [400]],
  ['a broken chunk', 'POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', [400]],
  ['a tunnel', 'CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n', []],
  ['an upgrade', 'GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', [200]],
  ['no path', 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
  ['a whole URL for a path', 'GET http://169.254.169.254/ HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
  ['a path that is none', 'GET //%zz\\..%00 HTTP/1.1\r\nhost: x\r\n\r\n', [404]],
  ['bytes behind a request', `${streamOver()}\u0000\u0001\u0002`, []],
];

describe('the process survives', () => {
  it('two hundred callers that vanish in mid-stream, and holds nothing for them', async () => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url]);
    engine.respond(stallsAfter(3, { pieces: [secrets.answer, secrets.answer, secrets.answer] }));
    const callers = await Promise.all(Array.from({ length: 200 }, () => wire(router.port)));
    for (const caller of callers) caller.send(streamOver());
    await Promise.all(callers.map((caller) => caller.when(({ received }) => received.includes(secrets.answer))));
    expect(await inFlight(router)).toBe(200);
    for (const caller of callers) caller.destroy();
    await engine.when(({ abortsSeen }) => abortsSeen === 200);
    await expect.poll(() => inFlight(router)).toBe(0);
    engine.respond([]);
    expect((await readAll(await chat(router, { stream: true }))).events.at(-1)).toBe('[DONE]');
    expect(router.running).toBe(true);
  });

  it('whatever bytes come to its port, each answered as what it is', async () => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url]);
    const answers = await Promise.all(
      bytesOnThePort.map(async ([name, bytes, expected]) => {
        const received = await exchangeBytes(router.port, bytes);
        return { name, statuses: statusesOf(received), expected, stack: received.includes('    at ') };
      }),
    );
    expect(answers.map(({ name, statuses }) => [name, statuses])).toEqual(
      answers.map(({ name, expected }) => [name, expected]),
    );
    expect(answers.some(({ stack }) => stack)).toBe(false);
    expect((await chat(router)).status).toBe(200);
    await expect.poll(() => inFlight(router)).toBe(0);
    expect(router.running).toBe(true);
  });
});

describe('bytes behind an answer that has begun', () => {
  it.each([
    ['alone on its connection', '', [200]],
    ['and is the second on its connection', 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n', [200, 200]],
  ])('%s get no second answer glued to it', async (_name, before, statuses) => {
    const engine = await startEngine();
    const router = await serve(['--backend', engine.url]);
    engine.respond(stallsAfter(3));
    const caller = await wire(router.port);
    caller.send(before + streamOver());
    await caller.when(({ received }) => received.includes('t2 '));
    caller.send('\u0000\u0001\u0002\r\n');
    await caller.when(({ closed }) => closed);
    expect(statusesOf(caller.received)).toEqual(statuses);
    await engine.when(({ abortsSeen }) => abortsSeen === 1);
  });
});

describe('a backend killed under fifty requests', () => {
  it('costs only those whose answers had begun', async () => {
    const engines = [await startEngine(), await startEngine()] as const;
    const router = await serve(engines.flatMap(({ url }) => ['--backend', url]));
    const [victim, survivor] = engines;
    const begun = new Set<number>();
    victim.respond((entry, n) => {
      if (n % 2 === 1) return hang();
      begun.add(entry.n);
      return stallsAfter(3);
    });
    // Slow enough that both are given their half.
    survivor.respond(() => answer({ delayMs: 1_000 }));
    let answersBegun = 0;
    const replies = Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await chat(router, { stream: true });
        if (response.headers.get('x-switchyard-backend') === `127.0.0.1:${victim.port}`) answersBegun += 1;
        return readAll(response);
      }),
    );
    await expect.poll(() => victim.posts.length + survivor.posts.length).toBe(50);
    await victim.when(({ posts }) => posts.every(({ received }) => received));
    // Those whose answers have begun, as far as callers can see.
    await expect.poll(() => answersBegun).toBe(begun.size);
    const onVictim = victim.posts.length;
    await victim.crash();
    const results = await replies;
    const whole = results.filter(({ broken, events }) => !broken && events.at(-1) === '[DONE]');
    const lost = results.filter(({ broken, events }) => broken && events.at(-1)?.includes('backend_broken') === true);
    expect({ whole: whole.length, lost: lost.length }).toEqual({ whole: 50 - begun.size, lost: begun.size });
    expect(onVictim - begun.size).toBeGreaterThan(0);
    expect((await chat(router)).status).toBe(200);
  });

  it('costs nothing when none had begun, and it is the whole process that dies', async () => {
    const simulated = [0, 1].map(() => start(['simulate', '--listen', '127.0.0.1:0', '--first-token', '3s']));
    await Promise.all(simulated.map((one) => one.when(({ stdout }) => stdout.endsWith('\n'))));
    const router = await serve(simulated.flatMap(({ url }) => ['--backend', url]));
    const asked = Array.from({ length: 50 }, async () => {
      const response = await chat(router, { model: 'simulated', stream: true, max_tokens: 3 });
      return { status: response.status, ...(await readAll(response)) };
    });
    const replies = Promise.all(asked);
    await expect.poll(() => inFlight(router)).toBe(50);
    await simulated[0]?.kill();
    const results = await replies;
    expect(new Set(results.map(({ status, broken }) => `${status} ${broken}`))).toEqual(new Set(['200 false']));
    expect(results.every(({ events }) => events.at(-1) === '[DONE]')).toBe(true);
    expect(simulated.map(({ running }) => running)).toEqual([false, true]);
  });
});
