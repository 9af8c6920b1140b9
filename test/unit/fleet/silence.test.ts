import { describe, expect, it } from 'vitest';
import { Silence } from '../../../src/fleet/silence.ts';
import { eligible } from '../../../src/selection/eligible.ts';
import { aCandidate, namesOf } from '../../support/candidates.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const firstByteMs = 120_000;

function setting(stallAfterMs = 30_000) {
  const clock = fakeClock();
  const changes: boolean[] = [];
  const silence = new Silence({ clock, stallAfterMs, changed: (stalled) => changes.push(stalled) });
  return { clock, changes, silence, ask: () => silence.asked(firstByteMs), hear: () => silence.heard(clock.now()) };
}

describe('a backend is stalled', () => {
  it('when nothing has come for 30 s although several were asked, and no longer when something comes', () => {
    const { clock, silence, ask, hear, changes } = setting();
    ask();
    ask();
    clock.advance(29_999);
    expect(silence.stalled).toBe(false);
    clock.advance(1);
    expect(silence.stalled).toBe(true);
    clock.advance(60_000);
    hear();
    expect(silence.stalled).toBe(false);
    clock.advance(30_000);
    expect(silence.stalled).toBe(true);
    expect(changes).toEqual([true, false, true]);
  });

  it('not while anything comes, however slow the one or the other is', () => {
    const { clock, changes, ask, hear } = setting();
    for (let n = 0; n < 3; n++) ask();
    for (let n = 0; n < 20; n++) {
      clock.advance(29_000);
      hear();
    }
    expect(changes).toEqual([]);
  });

  it('until everything that was in flight there has ended', () => {
    const { clock, silence, ask } = setting();
    ask();
    ask();
    clock.advance(30_000);
    silence.ended();
    expect(silence.stalled).toBe(true);
    silence.ended();
    expect(silence.stalled).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  it('not by one long prompt alone, before half of its own time is gone', () => {
    const { clock, silence, ask } = setting();
    ask();
    clock.advance(59_999);
    expect(silence.stalled).toBe(false);
    clock.advance(1);
    expect(silence.stalled).toBe(true);
  });

  it('30 s after a second one joined the long prompt and nothing came for either', () => {
    const { clock, silence, ask } = setting();
    ask();
    clock.advance(50_000);
    ask();
    clock.advance(29_999);
    expect(silence.stalled).toBe(false);
    clock.advance(1);
    expect(silence.stalled).toBe(true);
  });

  it('by one alone that has begun and then fallen silent', () => {
    const { clock, silence, ask, hear } = setting();
    ask();
    clock.advance(1_000);
    hear();
    clock.advance(30_000);
    expect(silence.stalled).toBe(true);
  });

  it('only beyond twice of what is usual there, and the usual fades', () => {
    const { clock, silence, ask, hear } = setting();
    const silentMs = (): number => {
      ask();
      ask();
      let ms = 0;
      for (; !silence.stalled; ms += 1_000) clock.advance(1_000);
      hear();
      silence.ended();
      silence.ended();
      return ms;
    };
    silence.began(40_000);
    expect(silentMs()).toBe(80_000);
    for (let n = 0; n < 20; n++) silence.began(1_000);
    expect(silentMs()).toBe(30_000);
  });

  it('not by silence towards a caller that does not read', () => {
    const { clock, silence, ask, hear, changes } = setting();
    ask();
    hear();
    silence.ended();
    clock.advance(300_000);
    silence.goOn();
    clock.advance(29_999);
    expect(changes).toEqual([]);
    clock.advance(1);
    expect(changes).toEqual([true]);
  });

  it('never when it is off, and then there is no timer', () => {
    const { clock, silence, ask } = setting(0);
    ask();
    ask();
    expect(clock.waiting).toBe(0);
    clock.advance(600_000);
    expect(silence.stalled).toBe(false);
  });
});

describe('another time after which silence is a stall', () => {
  const silent = (stallAfterMs: number) => {
    const clock = fakeClock();
    const silence = new Silence({ clock, stallAfterMs, changed: () => {} });
    silence.asked(100);
    silence.asked(100);
    return { clock, silence };
  };

  it('counts for what is under way', () => {
    const { clock, silence } = silent(1_000);
    clock.advance(500);
    silence.configure(400);
    expect(silence.stalled).toBe(true);
    silence.configure(0);
    expect([silence.stalled, clock.waiting]).toEqual([false, 0]);
    silence.configure(600);
    clock.advance(100);
    expect(silence.stalled).toBe(true);
  });

  it('is what a silence that was too long before is held against', () => {
    const { clock, silence } = silent(1_000);
    clock.advance(1_000);
    silence.configure(1_500);
    expect(silence.stalled).toBe(false);
    clock.advance(500);
    expect(silence.stalled).toBe(true);
    silence.configure(1_200);
    expect(silence.stalled).toBe(true);
  });

  it('leaves no timer when nothing is under way', () => {
    const { clock, silence } = silent(1_000);
    silence.ended();
    silence.ended();
    silence.configure(400);
    expect(clock.waiting).toBe(0);
  });
});

describe('a stalled backend', () => {
  function stalled(name: string, wishes: Parameters<typeof aCandidate>[0] = {}) {
    const clock = fakeClock();
    const candidate = aCandidate({ name, silence: { clock, stallAfterMs: 1 }, ...wishes });
    candidate.state.silence.asked(1);
    candidate.state.silence.asked(1);
    clock.advance(1);
    return candidate;
  }
  const names = (...candidates: Parameters<typeof eligible>[0]) =>
    namesOf(eligible(candidates, { needs: [], contextTokens: 0, tried: new Set(), panicRatio: 0.5 }, 0));

  it('is avoided while somebody else is left, and used when nobody is', () => {
    expect(names(stalled('hangs'), aCandidate({ name: 'fine' }))).toEqual(['fine']);
    expect(names(stalled('hangs'))).toEqual(['hangs']);
  });

  it('is better than an ejected one', () => {
    expect(names(stalled('hangs'), aCandidate({ name: 'ejected', ejected: true }))).toEqual(['hangs']);
  });

  it('is not tried in a panic when its probes fail, too', () => {
    expect(names(stalled('hangs', { health: 'down' }))).toEqual([]);
    expect(names(stalled('hangs', { health: 'down' }), aCandidate({ name: 'down', health: 'down' }))).toEqual(['down']);
  });
});
