// The panic rule: when more than a share of a model's members seems to be out, it is likelier that our judgement is wrong,
// or that the rest is about to go under, than that all of them are: so it is given up for that model. What an operator or the
// engine itself has said is believed in any case. Known from Envoy ("panic threshold").
import { isInRotation } from '../fleet/backend-state.ts';
import type { Candidate } from './policy.ts';

/** Out by our own judgement: its probes fail, or its circuit is not closed. */
export function isOut({ state, memberState }: Candidate): boolean {
  return state.health === 'down' || memberState.circuit.state !== 'closed';
}

/** Enabled, and not loading, asleep or misconfigured by its engine's own word. */
export function isInService({ backend, state }: Candidate): boolean {
  const { health } = state;
  return isInRotation(backend, state) && (health === 'up' || health === 'down' || health === 'unknown');
}

/** `panicRatio` of those in service; 1: never. */
export function isPanicking(candidates: readonly Candidate[], panicRatio: number): boolean {
  let inService = 0;
  let out = 0;
  for (const candidate of candidates) {
    if (!isInService(candidate)) continue;
    inService++;
    if (isOut(candidate)) out++;
  }
  return out > inService * panicRatio;
}

/** When the first of those that are not well is looked at again: the end of a pause, or a probe. Undefined: not known. */
export function lookedAtAgainMs(candidates: readonly Candidate[]): number | undefined {
  const times = candidates.flatMap(({ backend, state, memberState }) =>
    isInRotation(backend, state) ? (memberState.circuit.retryAtMs ?? state.probeAtMs ?? []) : [],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}

/** So many are not looked at anew for each request: */
const many = 64;
/** only so often. */
const everyMs = 100;

/** Whether the members of one model are in a panic, as requests ask: of a large fleet it is known to 100 ms. */
export class PanicWatch {
  #atMs = -Infinity;
  #isPanic = false;

  look(candidates: readonly Candidate[], panicRatio: number, nowMs: number): boolean {
    if (panicRatio >= 1) return false;
    if (candidates.length <= many) return isPanicking(candidates, panicRatio);
    if (nowMs - this.#atMs < everyMs) return this.#isPanic;
    this.#atMs = nowMs;
    this.#isPanic = isPanicking(candidates, panicRatio);
    return this.#isPanic;
  }
}
