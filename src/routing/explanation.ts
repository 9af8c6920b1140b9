// From a look at the members of a model to words and numbers for people: who would be asked in which order, and why others
// are not. Reads what the choice itself reads, and changes nothing.
import type { Counters } from '../admission/counters.ts';
import { hasRoom } from '../admission/slots.ts';
import type { CandidateReport, Explanation } from '../fleet/report.ts';
import { passedOver } from '../selection/eligible.ts';
import { isOut, isPanicking } from '../selection/panic.ts';
import type { Candidate } from '../selection/policy.ts';
import { inWords } from '../selection/why.ts';
import type { Look } from './claim.ts';

/** As things stand: to be called before the slot is claimed. `most`: of the candidates; left out, all of them. */
export function explain(look: Look, inFlight: Counters, most = Infinity): Explanation {
  const { exchange, target, requirements, nowMs } = look;
  const ranked = look.ranked();
  const ask = exchange.askOf(look.request);
  const { model, policy } = target;
  const winner = ranked.find((candidate) => hasRoom(candidate, inFlight, nowMs));
  const reported = (candidate: Candidate, verdict: CandidateReport['verdict'], why: string | null): CandidateReport => {
    const running = inFlight.read(candidate.state.index);
    return {
      backend: candidate.backend.name,
      verdict,
      why,
      score: policy.score === undefined ? null : rounded(policy.score(candidate, ask)),
      in_flight: running,
      max_in_flight: candidate.maxInFlight === Infinity ? null : candidate.maxInFlight,
      weight: candidate.backend.weight,
    };
  };
  const asked = ranked.slice(0, most).map((candidate) => {
    const detail = policy.detail?.(candidate, ask) ?? null;
    if (candidate === winner) return reported(candidate, 'winner', detail);
    if (hasRoom(candidate, inFlight, nowMs)) return reported(candidate, 'next', detail);
    return reported(candidate, 'full', fullInWords(candidate, inFlight));
  });
  const left = passedOver(target.candidates, requirements, nowMs);
  const excluded = [...left]
    .slice(0, Math.max(0, most - asked.length))
    .map(([candidate, reason]) => reported(candidate, 'excluded', inWords(candidate, reason, requirements, nowMs)));
  return {
    model: model.name,
    endpoint: exchange.endpoint,
    policy: policy.name,
    winner: winner?.backend.name ?? null,
    why: whyInWords(look, winner),
    candidates: [...asked, ...excluded],
  };
}

/** A backend that is coming back has room for less than its bound. */
function fullInWords(candidate: Candidate, inFlight: Counters): string {
  const running = inFlight.read(candidate.state.index);
  const comingBack = running < candidate.maxInFlight ? ', less while it comes back' : '';
  return `${running} of ${candidate.maxInFlight} in flight${comingBack}`;
}

function whyInWords(look: Look, winner: Candidate | undefined): string {
  const { target } = look;
  const ranked = look.ranked();
  const { name, goesBy } = target.policy;
  const total = target.candidates.length;
  if (ranked.length === 0) return total === 0 ? 'No backend has this model.' : `None of ${total} can take it now.`;
  if (winner === undefined)
    return ranked.length === 1 ? 'The only one that can take it is full.' : `All ${ranked.length} that can are full.`;
  const who = `${winner.backend.name} `;
  // Only where judgement has been given up: see selection/panic.
  const can = ranked.some(isOut) ? 'may be asked' : 'can take it';
  const despite = isOut(winner) ? ` ${despiteInWords(winner, look)}` : '';
  if (ranked.length === 1) return `${who}is the only one of ${total} that ${can} now.${despite}`;
  const full = ranked.indexOf(winner);
  const before = full === 0 ? '' : ` with room (${full} before it ${full === 1 ? 'is' : 'are'} full)`;
  return `${who}comes first of the ${ranked.length} that ${can}${before}, by ${name}: ${goesBy}.${despite}`;
}

function despiteInWords(winner: Candidate, { target, requirements, nowMs }: Look): string {
  const why = isPanicking(target.candidates, requirements.panicRatio)
    ? 'So many are out that all of them are tried'
    : 'Nobody better is left';
  return `${why}, though this one is: ${inWords(winner, 'out', requirements, nowMs)}.`;
}

function rounded(score: number): number {
  return Math.round(score * 1000) / 1000;
}
