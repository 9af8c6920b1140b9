// Callers that leave: rows 39 to 41 of the matrix. What they had is free at once, here and at the backend, and nobody is
// blamed.
import { expect } from 'vitest';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import { question } from '../system/caller.ts';
import { secrets } from '../system/of-test.ts';
import type { Wire } from '../system/wire.ts';
import { faultMatrix } from './matrix.ts';
import { requestLines } from './readings.ts';
import { limitedKey, type Stand } from './stand.ts';

const { fault, wire } = faultMatrix();
const oneStrike = { consecutive: 1, open_for: '60s' };

async function transitions(stand: Stand): Promise<number> {
  return (await stand.metrics()).total('switchyard_circuit_transitions_total');
}

/** Sends a chat whose caller leaves when told to. */
function leaving(stand: Stand, more: object = {}) {
  const caller = new AbortController();
  const gone = stand.ask({ ...more }, { signal: caller.signal, headers: limitedKey }).then(
    () => 'answered',
    () => 'gone',
  );
  return { leave: () => caller.abort(), gone };
}

fault(
  {
    row: 39,
    when: 'a caller hangs up while it waits for a slot',
    expected: 'out of the queue, the backend sees nothing of it, the allowance is given back',
  },
  async (on) => {
    const limits = { requests_per_minute: 2, tokens_per_minute: 1_000 };
    const stand = await on.stand({ engines: [{ backend: { max_in_flight: 1 } }], limits });
    stand.engine(0).respond([answer({ delayMs: 1_000 })]);
    const first = stand.ask({}, { headers: limitedKey });
    await stand.engine(0).when(({ inFlight }) => inFlight === 1);
    const waiting = leaving(stand);
    const queued = async () => (await stand.metrics()).total('switchyard_queue_length');
    await expect.poll(queued, { interval: 10 }).toBe(1);
    waiting.leave();
    expect(await waiting.gone).toBe('gone');
    await expect.poll(queued, { interval: 10 }).toBe(0);
    expect(stand.posts).toHaveLength(1);
    expect((await first).status).toBe(200);
    expect((await stand.ask({}, { headers: limitedKey })).status).toBe(200);
    expect((await stand.ask({}, { headers: limitedKey })).status).toBe(429);
    expect(stand.posts).toHaveLength(2);
    const outcomes = () => requestLines(stand.router).map(({ outcome }) => outcome);
    await expect.poll(outcomes).toEqual(['client_closed', 'ok', 'ok', 'rate_limit_exceeded']);
    on.saw(outcomes(), 'backend asked for the others only');
  },
);

for (const stream of [false, true]) {
  fault(
    {
      row: 40,
      when: `a caller hangs up before the first byte (${stream ? 'streamed' : 'plain'})`,
      expected: 'the backend is hung up on at once, B0, the prompt is charged, not retried',
    },
    async (on) => {
      const limits = { tokens_per_minute: 10_000 };
      const stand = await on.stand({ engines: [{}, {}], prefer: 'first', circuit: oneStrike, limits });
      const long = 'word '.repeat(400);
      stand.engine(0).respond([hang(stream ? 'head' : 'nothing')]);
      const caller = leaving(stand, { stream, max_tokens: 1, messages: [{ role: 'user', content: long }] });
      await stand.engine(0).when(({ posts }) => posts[0]?.received === true);
      caller.leave();
      await stand.engine(0).when(({ abortsSeen }) => abortsSeen === 1);
      expect(await caller.gone).toBe('gone');
      await expect.poll(() => requestLines(stand.router).map(({ outcome }) => outcome)).toEqual(['client_closed']);
      const next = await stand.ask({ max_tokens: 1 }, { headers: limitedKey });
      const charged = 10_000 - Number(next.headers.get('x-ratelimit-remaining-tokens'));
      expect(charged).toBeGreaterThan(400);
      expect(charged).toBeLessThan(1_000);
      expect([stand.posts.length, await transitions(stand)]).toEqual([2, 0]);
      on.saw('engine sees the hang-up', 'no circuit changed', { charged });
    },
  );
}

const callers = 1_000;

function streamWithKey(): string {
  const body = JSON.stringify({ ...question, stream: true });
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: x', 'content-type: application/json'];
  const key = `authorization: Bearer ${secrets.key}`;
  return [...head, key, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

fault(
  {
    row: 41,
    when: `${callers} callers hang up at once in mid-stream, twice`,
    expected: 'every socket to the backends closes, gauges return to 0, all leases are free, B0',
  },
  async (on) => {
    const stand = await on.stand({
      engines: [{}, {}],
      circuit: oneStrike,
      limits: { concurrent: callers },
    });
    for (const engine of stand.engines) engine.respond(stallsAfter(3));
    const goneMs: number[] = [];
    for (const round of [1, 2]) {
      const wires: Wire[] = await Promise.all(Array.from({ length: callers }, () => wire(stand.router.port)));
      for (const one of wires) one.send(streamWithKey());
      stand.sent += callers;
      await Promise.all(wires.map((one) => one.when(({ received }) => received.includes('t2 '))));
      expect((await stand.ask({}, { headers: limitedKey })).status).toBe(429);
      const leftMs = performance.now();
      for (const one of wires) one.destroy();
      const aborted = () => stand.engines.reduce((sum, { abortsSeen }) => sum + abortsSeen, 0);
      await expect.poll(aborted, { timeout: 10_000, interval: 5 }).toBe(round * callers);
      goneMs.push(Math.round(performance.now() - leftMs));
      const held = async () => (await stand.metrics()).total('switchyard_backend_inflight_requests');
      await expect.poll(held, { timeout: 5_000 }).toBe(0);
    }
    for (const engine of stand.engines) engine.respond([]);
    expect((await stand.stream({}, { headers: limitedKey })).events.at(-1)).toBe('[DONE]');
    expect(await transitions(stand)).toBe(0);
    on.saw(`${callers} + ${callers} hung up on`, { afterMs: goneMs }, 'no circuit changed');
  },
);
