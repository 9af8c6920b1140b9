import { describe, expect, it } from 'vitest';
import type { Circuit } from '../../../src/fleet/circuit.ts';
import { Roster } from '../../../src/fleet/roster.ts';
import { aBackend } from '../../support/a-fleet.ts';
import { aCandidate } from '../../support/candidates.ts';

function aRoster() {
  const closed: string[] = [];
  const { circuit, silence, limit } = { ...aCandidate().memberState, ...aCandidate().state };
  const roster = new Roster({
    circuit: (backend, model): Circuit => ({ ...circuit, close: () => void closed.push(`${backend.name} ${model}`) }),
    silence: () => silence,
    limit: () => limit,
  });
  return { roster, closed };
}

describe('the state of a backend', () => {
  it('is found again under other settings, with all that was learnt', () => {
    const { roster } = aRoster();
    const state = roster.of(aBackend({ name: 'a' }));
    state.health = 'up';
    state.draining = true;
    const member = roster.member(aBackend({ name: 'a' }), 'm');
    const again = aBackend({ name: 'a', weight: 7, timeouts: { ...aBackend().timeouts, gapMs: 1 } });
    expect(roster.of(again)).toBe(state);
    expect(roster.member(again, 'm')).toBe(member);
  });

  it('is a new one for another box under the same name', () => {
    const { roster } = aRoster();
    const state = roster.of(aBackend({ name: 'a' }));
    const other = roster.of(aBackend({ name: 'a', url: 'http://other:8000' }));
    expect(other).not.toBe(state);
    expect(other.index).not.toBe(state.index);
  });

  it('is gone once it was forgotten, its circuits closed and its index free for the next one', () => {
    const { roster, closed } = aRoster();
    const [a, b] = [aBackend({ name: 'a' }), aBackend({ name: 'b' })];
    roster.member(a, 'm');
    roster.member(a, 'n');
    roster.of(b);
    roster.forget(a);
    roster.forget(a);
    expect(closed).toEqual(['a m', 'a n']);
    expect([...roster.all()].map(({ name }) => name)).toEqual(['b']);
    expect([roster.of(aBackend({ name: 'c' })).index, roster.of(aBackend({ name: 'd' })).index]).toEqual([0, 2]);
  });

  it('takes no more indexes than there are backends at a time, however many come and go', () => {
    const { roster } = aRoster();
    for (let n = 0; n < 100; n++) {
      const backend = aBackend({ name: `gpu-${n}` });
      expect(roster.of(backend).index).toBe(0);
      roster.forget(backend);
    }
  });
});
