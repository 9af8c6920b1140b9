// Backends that are ill in ways that no single answer shows: minutes of traffic in simulated time.
import { afterEach, describe, expect, it } from 'vitest';
import { type RoutedFleetWishes, routedFleet } from '../../support/routed-fleet.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

const backends = ['a', 'b', 'c', 'd'];
const everyMs = 20;

function aRoutedFleet(wishes: Omit<RoutedFleetWishes, 'backends'>) {
  const fleet = routedFleet({ backends, ...wishes });
  opened.push(fleet);
  const failureRate = (fromMs: number, untilMs = Infinity) => {
    const those = fleet.outcomes.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    expect(those.length).toBeGreaterThan(20);
    return those.filter(({ ok }) => !ok).length / those.length;
  };
  const tries = () => [...fleet.attempts.values()].reduce((sum, count) => sum + count, 0);
  return { ...fleet, failureRate, tries };
}

/** How often 5 s were doubled, ±20 %. */
function doublings(pauses: readonly number[]): readonly number[] {
  return pauses.map((ms) => Math.round(Math.log2(ms / 5_000)) + 0);
}

describe('a backend that is up for two seconds and down for two', () => {
  it('costs callers next to nothing, and is out for longer each time', async () => {
    const fleet = aRoutedFleet({
      answerMs: 400,
      does: (name, nowMs) => (name === 'a' && nowMs % 4_000 >= 2_000 ? 'refuse' : 'serve'),
    });
    await fleet.run(600_000, 2 * everyMs);
    expect(fleet.failureRate(0)).toBeLessThan(0.01);
    expect(fleet.tries()).toBeLessThan(fleet.outcomes.length * 1.2);
    const pauses = fleet.pauses.get('a') ?? [];
    expect(doublings(pauses)).toEqual(pauses.map((_, n) => n));
    expect(pauses.length).toBeGreaterThan(3);
  });
});

describe('a backend that answers every second request with an error', () => {
  it('is ejected by the rate of its failures, though no two come in a row', async () => {
    let n = 0;
    const fleet = aRoutedFleet({ does: (name) => (name === 'a' && n++ % 2 === 0 ? 'fail' : 'serve') });
    await fleet.run(120_000, everyMs);
    expect(fleet.failureRate(10_000)).toBeLessThan(0.005);
    expect(fleet.pauses.get('a')?.length).toBeGreaterThan(0);
    for (const name of ['b', 'c', 'd']) expect(fleet.pauses.get(name)).toEqual([]);
  });
});

describe('a backend whose health endpoint is green while completions fail', () => {
  it('is ejected by live traffic, and a green probe never ends two pauses of the same length', async () => {
    const fleet = aRoutedFleet({ does: (name) => (name === 'a' ? 'fail' : 'serve') });
    await fleet.run(200_000, everyMs);
    expect(fleet.failureRate(0)).toBeLessThan(0.005);
    const pauses = fleet.pauses.get('a') ?? [];
    expect(doublings(pauses)).toEqual(pauses.map((_, n) => n));
    expect(pauses.length).toBeGreaterThan(4);
  });
});

describe('a model all of whose backends fail for a while', () => {
  it('is served at once when they work again, whatever circuits say', async () => {
    const fleet = aRoutedFleet({ does: (_name, nowMs) => (nowMs >= 10_000 && nowMs < 40_000 ? 'fail' : 'serve') });
    await fleet.run(40_000, everyMs);
    expect(fleet.failureRate(0, 10_000)).toBe(0);
    expect(fleet.failureRate(20_000, 40_000)).toBe(1);
    expect([...fleet.pauses.values()].flat().length).toBeGreaterThan(0);
    await fleet.run(20_000, everyMs);
    expect(fleet.failureRate(40_300)).toBe(0);
  });

  it('is served at once when they can be reached again, though probes have not seen it yet', async () => {
    const down = (nowMs: number) => nowMs >= 10_000 && nowMs < 62_000;
    const fleet = aRoutedFleet({ does: (_name, nowMs) => (down(nowMs) ? 'refuse' : 'serve') });
    await fleet.run(62_000, everyMs);
    expect(fleet.failureRate(20_000, 62_000)).toBe(1);
    await fleet.run(10_000, everyMs);
    expect(fleet.failureRate(62_300)).toBe(0);
  });
});
