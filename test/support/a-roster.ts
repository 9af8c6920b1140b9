// A roster whose circuits never open, and whose silences are never too long.
import { LearntLimit } from '../../src/admission/learnt-limit.ts';
import { Roster } from '../../src/fleet/roster.ts';
import { aCandidate } from './candidates.ts';

export function aRoster(): Roster {
  return new Roster({
    circuit: () => aCandidate().memberState.circuit,
    silence: () => aCandidate().state.silence,
    limit: () => new LearntLimit(),
  });
}
