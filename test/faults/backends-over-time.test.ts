// Backends that come, go and fail now and then under load: rows 31 to 38 of the matrix. Times are scaled down; what counts
// are the numbers of events.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RouterProcess } from '../support/router-process.ts';
import { answer, type Behaviour, fault as faultOf, raw } from '../support/scripted/behaviours.ts';
import { faultMatrix } from './matrix.ts';
import { linesOf, requestLines } from './readings.ts';
import { flap, steadily } from './several.ts';
import type { Answer, Stand } from './stand.ts';

const { fault } = faultMatrix();
const roundRobin = { routing: { policy: 'round-robin' } };
const fails = faultOf('internal', { as: 'status' });

/** How long the circuit of a backend was open each time it was, in milliseconds. */
function openMs(router: RouterProcess, backend: string): readonly number[] {
  const durations: number[] = [];
  let sinceMs = 0;
  for (const line of linesOf(router)) {
    if (line['msg'] !== 'circuit changed' || line['backend'] !== backend) continue;
    const atMs = Date.parse(String(line['time']));
    if (line['circuit'] === 'open') sinceMs = atMs;
    if (line['circuit'] === 'half_open') durations.push(atMs - sinceMs);
  }
  return durations;
}

function statuses(answers: readonly Pick<Answer, 'status'>[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

fault(
  {
    row: 31,
    when: 'its health says 200 and its completions 500',
    expected:
      'opened by live traffic; each time health alone closes it again, the next pause is twice as long; callers see 200',
  },
  async (on) => {
    const circuit = { consecutive: 5, open_for: '300ms', growth: 2 };
    const stand = await on.stand({ engines: [{}, {}], prefer: 'first', circuit });
    stand.engine(0).respond(fails);
    const seen: Answer[] = [];
    while (openMs(stand.router, 'a').length < 3) {
      seen.push(await stand.ask());
      await sleep(10);
    }
    const [first = 0, second = 0, third = 0] = openMs(stand.router, 'a');
    // Each is up to 20 % longer or shorter than 300, 600 and 1,200 ms.
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(statuses(seen)).toEqual({ 200: seen.length });
    // Five to open it, then one for each probe that closed it.
    expect(stand.engine(0).posts).toHaveLength(7);
    on.saw(statuses(seen), { openMs: [first, second, third] }, 'asked 5 + 1 + 1 times');
  },
);

fault(
  {
    row: 32,
    when: 'its health fails while completions work',
    expected: 'out of rotation after down_after probes, back after up_after',
  },
  async (on) => {
    const stand = await on.stand({
      engines: [{ backend: { probe: { interval: '100ms', down_after: 2, up_after: 2 } } }, {}],
      prefer: 'first',
    });
    const asked = async () => (await stand.ask()).headers.get('x-switchyard-backend');
    expect(await asked()).toBe('a');
    await stand.engine(0).setHealth('down');
    await expect.poll(asked, { interval: 20, timeout: 5_000 }).toBe('b');
    const before = stand.engine(0).posts.length;
    for (let n = 0; n < 10; n++) expect(await asked()).toBe('b');
    expect(stand.engine(0).posts).toHaveLength(before);
    expect((await stand.metrics()).total('switchyard_backend_up', { backend: 'a' })).toBe(0);
    await stand.engine(0).setHealth('up');
    await expect.poll(asked, { interval: 20, timeout: 5_000 }).toBe('a');
    on.saw('out, then back');
  },
);

fault(
  {
    row: 33,
    when: 'every backend fails again and again',
    expected: 'the last usable one is never ejected: callers get its error as sent, and 200 as soon as they are well',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}, {}], circuit: { consecutive: 2, open_for: '60s' } });
    for (const engine of stand.engines) engine.respond(fails);
    const seen: Answer[] = [];
    for (let n = 0; n < 20; n++) seen.push(await stand.ask());
    expect(statuses(seen)).toEqual({ 500: 20 });
    const open = (await stand.metrics()).total('switchyard_circuit_state', { state: 'open' });
    expect(open).toBe(2);
    for (const engine of stand.engines) engine.respond([]);
    expect((await stand.ask()).status).toBe(200);
    on.saw(statuses(seen), { open }, 'then 200 at once');
  },
);

fault(
  {
    row: 34,
    when: 'one of three is up for 400 ms and down for 400 ms, again and again',
    expected: 'under 1 % of callers see an error, at most 1.2 attempts for each request',
  },
  async (on) => {
    const circuit = { consecutive: 3, open_for: '300ms', growth: 2, open_max: '5s' };
    const stand = await on.stand({ engines: [{}, {}, {}], fleet: roundRobin, circuit });
    for (const engine of stand.engines) engine.respond(() => answer({ delayMs: 10 }));
    const flapping = flap(stand.engine(0), { times: 12, everyMs: 400 });
    const seen = await steadily({ perSecond: 80, seconds: 10 }, () => stand.ask());
    await flapping;
    const { 200: good = 0 } = statuses(seen);
    expect(seen.length - good).toBeLessThan(seen.length / 100);
    const attempts = (await stand.metrics()).total('switchyard_upstream_attempts_total');
    expect(attempts / seen.length).toBeLessThan(1.2);
    expect(openMs(stand.router, 'a').length).toBeGreaterThan(0);
    // Refused, or cut off before they were read; what a kept connection lost is tried once more in silence.
    stand.unseenAttempts = attempts - good;
    stand.silentTries = attempts - good;
    on.saw(statuses(seen), { attemptsEach: (attempts / seen.length).toFixed(3), openMs: openMs(stand.router, 'a') });
  },
);

fault(
  {
    row: 35,
    when: 'one of four answers every other request with 500',
    expected: 'the rate opens its circuit, although never five in a row fail; under 0.5 % of callers see an error',
  },
  async (on) => {
    const circuit = { window: '5s', min_requests: 10, failure_ratio: 0.5, open_for: '2s' };
    const stand = await on.stand({ engines: [{}, {}, {}, {}], fleet: roundRobin, circuit });
    stand.engine(0).respond((_entry, n) => (n % 2 === 1 ? fails : undefined));
    const seen = await steadily({ perSecond: 80, seconds: 5 }, () => stand.ask());
    const { 200: good = 0 } = statuses(seen);
    expect(seen.length - good).toBeLessThan(seen.length / 200);
    const metrics = await stand.metrics();
    const opened = metrics.by('switchyard_circuit_transitions_total', 'backend', { to: 'open' });
    expect(opened).toEqual({ a: expect.any(Number) });
    on.saw(statuses(seen), { opened }, { asked: stand.engine(0).posts.length });
  },
);

fault(
  {
    row: 36,
    when: 'all answer 503 after 300 ms, 200 requests a second',
    expected: 'a fifth of what runs may be on a second try, which is a quarter more attempts, and not twice as many',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}, {}] });
    // The words of a failure, after a while: an answer that took no time would have cost nobody anything.
    const unwell = { error: { message: 'something is wrong', type: 'InternalServerError', code: 503 } };
    for (const engine of stand.engines) engine.respond(lateReply(300, 503, unwell));
    const seen = await steadily({ perSecond: 200, seconds: 4 }, () => stand.ask());
    const attempts = stand.posts.length;
    on.saw(statuses(seen), { attemptsEach: (attempts / seen.length).toFixed(3) });
    expect(statuses(seen)).toEqual({ 503: seen.length });
    expect(attempts / seen.length).toBeLessThan(1.3);
  },
);

fault(
  {
    row: 38,
    when: 'a backend restarts while 500 callers wait',
    expected: 'all are served, in flight never above the cap of either',
    timeoutMs: 90_000,
  },
  async (on) => {
    const cap = 8;
    const engine = { backend: { max_in_flight: cap } };
    const queue = { max_length: 600, max_wait: '30s' };
    const stand = await on.stand({
      engines: [engine, engine],
      fleet: { routing: { queue } },
      circuit: { open_for: '300ms' },
    });
    const most = stand.engines.map(() => 0);
    for (const [n, one] of stand.engines.entries()) {
      one.respond((_entry, nth) => {
        most[n] = Math.max(most[n] ?? 0, one.inFlight);
        // The first are slow, so that all the others are there and wait.
        return answer({ delayMs: nth <= cap ? 4_000 : 50 });
      });
    }
    const asked = Promise.all(Array.from({ length: 500 }, () => stand.ask()));
    const queued = async () => (await stand.metrics()).total('switchyard_queue_length');
    await expect.poll(queued, { timeout: 10_000 }).toBe(500 - 2 * cap);
    await stand.engine(0).crash();
    await sleep(1_000);
    await stand.engine(0).listen();
    const seen = await asked;
    expect(statuses(seen)).toEqual({ 200: 500 });
    expect(Math.max(...most)).toBeLessThanOrEqual(cap);
    await expect.poll(() => requestLines(stand.router).length).toBe(500);
    const served = servedBy(stand);
    expect(Object.keys(served)).toEqual(['a', 'b']);
    const attempts = requestLines(stand.router).reduce((sum, { attempts }) => sum + Number(attempts), 0);
    stand.unseenAttempts = attempts - 500;
    stand.silentTries = attempts - 500;
    on.saw(statuses(seen), { most, attempts, served });
  },
);

/** A whole answer that begins late. */
function lateReply(delayMs: number, status: number, body: object): Behaviour {
  const text = JSON.stringify(body);
  const head = `HTTP/1.1 ${status} No\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n`;
  return raw([delayMs, `${head}connection: close\r\n\r\n${text}`]);
}

function servedBy({ router }: Stand): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { backend } of requestLines(router)) counts[String(backend)] = (counts[String(backend)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)));
}
