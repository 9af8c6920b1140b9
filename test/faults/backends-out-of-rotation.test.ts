// What is known about backends that are out, and what becomes of those that come back: rows 7, 32, 33, 34 and 38 as far as
// they are about the panic rule, slow start, stalls, and pauses that grow.
import { expect } from 'vitest';
import { answer, hang } from '../support/scripted/behaviours.ts';
import { faultMatrix } from './matrix.ts';
import { linesOf } from './readings.ts';
import { flap, steadily } from './several.ts';
import { type Stand } from './stand.ts';

const { fault } = faultMatrix();
const often = { interval: '100ms', timeout: '1s', up_after: 1, down_after: 1 };

async function down(stand: Stand): Promise<number> {
  return (await stand.metrics()).total('switchyard_backend_health', { state: 'down' });
}

fault(
  {
    row: 32,
    when: 'the health of two of three fails while their completions work',
    expected: 'panic: all three are asked, callers see 200, told by a gauge; over as soon as one is well',
  },
  async (on) => {
    const engine = { backend: { probe: often } };
    const stand = await on.stand({ engines: [engine, engine, engine], fleet: { routing: { policy: 'round-robin' } } });
    const [first, second] = stand.engines;
    await first?.setHealth('down');
    await second?.setHealth('down');
    await expect.poll(() => down(stand), { timeout: 5_000 }).toBe(2);
    for (let n = 0; n < 12; n++) expect((await stand.ask()).status).toBe(200);
    const asked = stand.engines.map(({ posts }) => posts.length);
    expect(asked.every((posts) => posts > 0)).toBe(true);
    const panic = async () => (await stand.metrics()).total('switchyard_model_panic', { model: 'test-model' });
    expect(await panic()).toBe(1);
    await first?.setHealth('up');
    await expect.poll(panic, { timeout: 5_000 }).toBe(0);
    on.saw('200 ×12', { asked }, 'gauge 1, then 0');
  },
);

fault(
  {
    row: 33,
    when: 'all are out, the panic rule is off',
    expected: '503 no_backend with Retry-After up to the next probe, nobody is asked, the allowance is given back',
  },
  async (on) => {
    const probe = { interval: '20s', timeout: '1s', up_after: 1, down_after: 1 };
    const stand = await on.stand({
      engines: [{ health: 'down', backend: { probe, models: ['test-model'] } }],
      limits: { requests_per_minute: 1 },
      fleet: { routing: { panic: 1 } },
    });
    const headers = { authorization: 'Bearer sk-a-key-that-nobody-may-print' };
    for (let n = 0; n < 3; n++) {
      const seen = await stand.ask({}, { headers });
      expect([seen.status, seen.errorType, seen.headers.get('x-switchyard-attempts')]).toEqual([
        503,
        'no_backend',
        '0',
      ]);
      const seconds = Number(seen.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(24);
    }
    expect(stand.posts).toEqual([]);
    on.saw('503 no_backend ×3');
  },
);

fault(
  {
    row: 34,
    when: 'one of three is up for 400 ms and down for 400 ms, again and again',
    expected: 'its pauses grow although it does well in between',
  },
  async (on) => {
    // Longer than it is up: doing well for as long as it was out would be a new beginning.
    const circuit = { consecutive: 3, open_for: '600ms', growth: 2, open_max: '60s' };
    const fleet = { routing: { policy: 'round-robin', slow_start: '0s' } };
    const stand = await on.stand({ engines: [{}, {}, {}], fleet, circuit });
    for (const engine of stand.engines) engine.respond(() => answer({ delayMs: 10 }));
    const [seen] = await Promise.all([
      steadily({ perSecond: 80, seconds: 10 }, () => stand.ask()),
      flap(stand.engine(0), { times: 12, everyMs: 400 }),
    ]);
    const changes = linesOf(stand.router).filter(
      (line) => line['msg'] === 'circuit changed' && line['backend'] === 'a',
    );
    const pauses = changes.flatMap((line, n) => {
      const next = changes[n + 1];
      return line['circuit'] === 'open' && next?.['circuit'] === 'half_open'
        ? [Date.parse(String(next['time'])) - Date.parse(String(line['time']))]
        : [];
    });
    const attempts = (await stand.metrics()).total('switchyard_upstream_attempts_total');
    stand.unseenAttempts = attempts - seen.length;
    stand.silentTries = attempts - seen.length;
    on.saw({ pauses });
    expect(Math.max(...pauses)).toBeGreaterThan(2 * (pauses[0] ?? Infinity));
    expect(seen.filter(({ status }) => status !== 200).length).toBeLessThan(seen.length / 100);
  },
);

fault(
  {
    row: 38,
    when: 'a backend comes back while many wait',
    expected: 'slow start: a tenth of its places at first; all are served',
  },
  async (on) => {
    const cap = 10;
    const engine = { backend: { max_in_flight: cap, probe: often } };
    const fleet = { routing: { slow_start: '1h', queue: { max_length: 600, max_wait: '30s' } } };
    const stand = await on.stand({
      engines: [engine, engine],
      fleet,
      circuit: { open_for: '200ms' },
    });
    const [back, other] = stand.engines;
    if (back === undefined || other === undefined) throw new Error('no engines');
    await back.crash();
    await expect.poll(() => down(stand), { timeout: 5_000 }).toBe(1);
    await back.listen();
    await expect.poll(() => down(stand), { timeout: 5_000 }).toBe(0);
    let most = 0;
    back.respond(() => {
      most = Math.max(most, back.inFlight);
      return answer({ delayMs: 50 });
    });
    other.respond(() => answer({ delayMs: 50 }));
    const seen = await Promise.all(Array.from({ length: 200 }, () => stand.ask()));
    expect(new Set(seen.map(({ status }) => status))).toEqual(new Set([200]));
    expect(most).toBe(1);
    on.saw('200 ×200', { mostOnTheOneThatCameBack: most, served: stand.engines.map(({ posts }) => posts.length) });
  },
);

fault(
  {
    row: 7,
    when: 'hangs although its health is green, long before any time limit',
    expected: 'avoided after stall_after while others are left, told by a gauge, B0',
  },
  async (on) => {
    const circuit = { consecutive: 1, open_for: '60s' };
    const engine = { backend: { stall_after: '200ms' } };
    const stand = await on.stand({ engines: [engine, engine], prefer: 'first', circuit });
    stand.engine(0).respond(hang());
    const gone = new AbortController();
    const lost = [0, 1].map(() => stand.open({ stream: true }, { signal: gone.signal }).catch(() => undefined));
    const stalled = async () => (await stand.metrics()).total('switchyard_backend_stalled', { backend: 'a' });
    await expect.poll(stalled, { timeout: 5_000 }).toBe(1);
    for (let n = 0; n < 5; n++) {
      const seen = await stand.ask();
      expect([seen.status, seen.headers.get('x-switchyard-backend')]).toEqual([200, 'b']);
    }
    gone.abort();
    await Promise.all(lost);
    await expect.poll(stalled, { timeout: 5_000 }).toBe(0);
    expect((await stand.metrics()).total('switchyard_circuit_transitions_total')).toBe(0);
    on.saw('200 ×5 by b', 'gauge 1, then 0', 'no circuit changed');
  },
);
