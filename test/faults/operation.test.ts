// Routers that stop and die: rows 72 to 75 of the matrix.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { answer, hang, stallsAfter } from '../support/scripted/behaviours.ts';
import { redisOfTest } from '../support/redis/of-test.ts';
import { faultMatrix, type World } from './matrix.ts';
import { requestLines } from './readings.ts';
import { several, steadily } from './several.ts';
import { type Answer, limitedKey, type Stand, type StandWishes } from './stand.ts';

const redisOf = redisOfTest();
const { fault, engine: startEngine } = faultMatrix();

const calmDrain = { drain_delay: '1s', drain_timeout: '60s' };

function isWhole({ status, broken, events }: Answer): boolean {
  return status === 200 && !broken && events.at(-1) === '[DONE]';
}

fault(
  {
    row: 72,
    when: 'SIGTERM with 500 streams running',
    expected: 'all finish; new connections are taken during drain_delay and refused after it; exit 0',
  },
  async (on) => {
    const stand = await on.stand({ engines: [{}, {}], server: calmDrain });
    for (const engine of stand.engines) engine.respond(answer({ count: 30, gapMs: 100 }));
    const streams = Promise.all(Array.from({ length: 500 }, () => stand.stream()));
    await expect.poll(() => stand.posts.length, { timeout: 10_000 }).toBe(500);
    stand.router.signal('SIGTERM');
    await stand.router.when(({ stderr }) => stderr.includes('"stopping"'));
    const [late, ready] = await Promise.all([stand.ask({ max_tokens: 1 }), fetch(`${stand.url}/readyz`)]);
    expect([late.status, late.headers.get('connection'), ready.status]).toEqual([200, 'close', 503]);
    const refused = () =>
      fetch(`${stand.url}/livez`).then(
        ({ status }) => status,
        () => 'refused',
      );
    await expect.poll(refused, { timeout: 10_000, interval: 20 }).toBe('refused');
    const running = stand.engines.reduce((sum, { inFlight }) => sum + inFlight, 0);
    const seen = await streams;
    expect(seen.filter(isWhole)).toHaveLength(500);
    expect(await stand.router.ended).toEqual({ code: 0, signal: null });
    on.saw('500 whole', { late: late.status, readyz: ready.status, runningWhenRefused: running }, 'exit 0');
  },
);

fault(
  {
    row: 73,
    when: 'drain_timeout passes with streams, held answers and waiters left',
    expected: 'error event draining or 503 draining with x-should-retry true, all hung up on, exit 0 soon after',
  },
  async (on) => {
    const server = { drain_delay: '0s', drain_timeout: '1s' };
    const stand = await on.stand({ engines: [{ backend: { max_in_flight: 40 } }], server });
    stand.engine(0).respond((_entry, n) => (n % 2 === 1 ? stallsAfter(3) : hang()));
    const asked = Promise.all(Array.from({ length: 50 }, () => stand.stream()));
    await stand.engine(0).when(({ inFlight }) => inFlight === 40);
    await expect.poll(async () => (await stand.metrics()).total('switchyard_queue_length')).toBe(10);
    await stand.engine(0).when(({ posts }) => posts.filter(({ sent }) => sent.includes('t2 ')).length === 20);
    const toldMs = performance.now();
    stand.router.signal('SIGTERM');
    const seen = await asked;
    expect(await stand.router.ended).toEqual({ code: 0, signal: null });
    const endedMs = Math.round(performance.now() - toldMs);
    const begun = seen.filter(({ status }) => status === 200);
    const held = seen.filter(({ status }) => status === 503);
    expect([begun.length, held.length]).toEqual([20, 30]);
    expect(new Set(seen.map(({ errorType }) => errorType))).toEqual(new Set(['draining']));
    expect(begun.every(({ broken, text }) => broken && !text.includes('[DONE]'))).toBe(true);
    expect(new Set(held.map(({ headers }) => headers.get('x-should-retry')))).toEqual(new Set(['true']));
    const outcomes = new Set(requestLines(stand.router).map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['draining']));
    on.saw({ events: begun.length, refused: held.length }, 'exit 0', { endedMs });
  },
);

/** The way a load balancer does it: only those that say they are ready, as of a moment ago. */
class Balancer {
  readonly #all: Set<Stand>;
  #ready: Stand[] = [];
  #next = 0;
  #looks = 0;
  #latest = 0;

  constructor(stands: readonly Stand[]) {
    this.#all = new Set(stands);
    this.#ready = [...stands];
  }

  async look(): Promise<void> {
    const asked = [...this.#all].map(async (stand) => {
      const ok = await fetch(`${stand.url}/readyz`).then(
        (response) => response.status === 200,
        () => false,
      );
      return ok ? [stand] : [];
    });
    const look = ++this.#looks;
    const ready = (await Promise.all(asked)).flat();
    // What an earlier look finds later is older.
    if (look < this.#latest) return;
    this.#latest = look;
    this.#ready = ready;
  }

  get one(): Stand {
    const stand = this.#ready[this.#next++ % this.#ready.length];
    if (stand === undefined) throw new Error('nobody is ready');
    return stand;
  }

  replace(old: Stand, by: Stand): void {
    this.#all.delete(old);
    this.#all.add(by);
  }
}

/** Replicas in front of the same two engines. */
async function replicasOf({ stand }: World, more: StandWishes = {}) {
  const behind = await Promise.all([startEngine(), startEngine()]);
  const others = behind.map(({ url }, n) => ({ name: `box-${n}`, engine: 'vllm', url }));
  const start = () => stand({ engines: [], behind, others, ...more });
  return { behind, start, stands: await Promise.all([start(), start(), start()]) };
}

fault(
  {
    row: 74,
    when: 'three replicas restart one after the other under load, behind a balancer that asks /readyz',
    expected: 'no failed request, no truncated stream, exit 0 each',
    timeoutMs: 90_000,
  },
  async (on) => {
    // Longer than this process itself may be late with looking.
    const server = { drain_delay: '3s', drain_timeout: '60s' };
    const { behind, start, stands } = await replicasOf(on, { server });
    for (const engine of behind) {
      engine.respond((entry) => (entry.json['stream'] === true ? answer({ count: 20, gapMs: 100 }) : undefined));
    }
    const balancer = new Balancer(stands);
    const looking = setInterval(() => void balancer.look(), 100);
    const seconds = 18;
    const plain = steadily({ perSecond: 60, seconds }, () => balancer.one.ask());
    const streams = steadily({ perSecond: 25, seconds }, () => balancer.one.stream());
    const restart = async (): Promise<number[]> => {
      const codes: number[] = [];
      for (const old of stands) {
        old.router.signal('SIGTERM');
        codes.push((await old.router.ended).code ?? -1);
        balancer.replace(old, await start());
        await balancer.look();
      }
      return codes;
    };
    const [answers, read, codes] = await Promise.all([plain, streams, restart()]);
    clearInterval(looking);
    expect(answers.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    expect(read.filter((one) => !isWhole(one)).map(({ text }) => text)).toEqual([]);
    expect(codes).toEqual([0, 0, 0]);
    on.saw(`200 ×${answers.length}`, `whole ×${read.length}`, { codes });
  },
);

fault(
  {
    row: 75,
    when: 'one of three replicas is killed with streams running',
    expected: 'only its own streams break, trying again works, limits stay right',
  },
  async (on) => {
    const redis = await redisOf.startRedis();
    const fleet = { shared_state: { redis: redis.url } };
    const { behind, stands } = await replicasOf(on, { fleet, limits: { requests_per_day: 1_000, concurrent: 100 } });
    const headers = limitedKey;
    for (const engine of behind) engine.respond(answer({ count: 20, gapMs: 100 }));
    const [doomed, ...others] = stands;
    if (doomed === undefined) throw new Error('no routers');
    const each = 20;
    const read = stands.map((stand) => Promise.all(Array.from({ length: each }, () => stand.stream({}, { headers }))));
    const sent = () => behind.flatMap(({ posts }) => posts);
    await expect.poll(() => sent().filter((post) => post.sent.includes('t2 ')).length).toBe(3 * each);
    // For the bytes to be on their way.
    await sleep(100);
    await doomed.router.kill();
    const [broken = [], ...whole] = await Promise.all(read);
    expect(broken.every((one) => one.broken && !one.text.includes('[DONE]'))).toBe(true);
    expect(whole.flat().filter(isWhole)).toHaveLength(2 * each);
    await expect.poll(() => behind.reduce((sum, { abortsSeen }) => sum + abortsSeen, 0)).toBe(each);
    for (const engine of behind) engine.respond([]);
    const [first, second] = others;
    if (first === undefined || second === undefined) throw new Error('no routers');
    const again = await several(each, each, (n) => (n % 2 === 0 ? first : second).stream({}, { headers }));
    expect(again.filter(isWhole)).toHaveLength(each);
    // Three times twenty, twenty again, and these: one that Redis has answered in time tells what all have used.
    let last = await first.ask({}, { headers });
    let asked = 1;
    for (; last.headers.get('x-switchyard-limits') !== null && asked < 20; asked++)
      last = await first.ask({}, { headers });
    expect(last.headers.get('x-ratelimit-remaining-requests')).toBe(String(1_000 - 4 * each - asked));
    on.release(doomed);
    on.saw(`${each} broken`, `${2 * each} whole`, `${each} again`, {
      left: last.headers.get('x-ratelimit-remaining-requests'),
    });
  },
);
