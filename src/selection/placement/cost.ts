// What it costs to place a request on a backend, in seconds: its own time there, and what it takes from those that run there.
import type { Loads } from './loads.ts';

/** A request on one backend. */
export interface Work {
  /** Tokens of the prompt, and those of them that this backend need not compute. */
  promptTokens: number;
  cachedTokens: number;
  /** Expected. */
  answerTokens: number;
}

export interface Weights {
  /** Of the delay of others: 1 counts each of their seconds like one of its own. */
  readonly externality: number;
  /** Seconds to the first token; what is expected to take longer counts more. */
  readonly ttftObjective: number;
}

export const defaultWeights: Weights = { externality: 0.5, ttftObjective: 5 };

/** The parts of a cost, in seconds; `ttft` is what `wait`, `prefill` and `slots` come to and is counted in them. */
export interface Terms {
  /** Until the prompts ahead of it are read. */
  wait: number;
  /** Until its own is read. */
  prefill: number;
  /** For one of the slots, where there are few. */
  slots: number;
  ttft: number;
  /** Until its answer is written. */
  decode: number;
  /** Of those that run there. */
  others: number;
  /** Of those that find their prompts pushed out of its cache, later. */
  displaced: number;
  /** For room in the KV cache. */
  memory: number;
  /** Beyond the objective. */
  late: number;
}

/** What it would cost to place a request, in seconds, and tokens of its prompt that are believed to be there. */
export interface Appraisal {
  readonly cost: number;
  readonly terms: Readonly<Terms>;
  readonly cachedTokens: number;
}

export function noTerms(): Terms {
  return { wait: 0, prefill: 0, slots: 0, ttft: 0, decode: 0, others: 0, displaced: 0, memory: 0, late: 0 };
}

/**
 * Fills `terms` and returns the sum of what they count; smaller is better. With n requests, P prompt tokens to be computed
 * and K tokens resident there, u = max(1, L − h) tokens of the prompt not cached, and f how much slower it is than others:
 *
 *     prefill = f·(u/R + a·u·(L − u/2))            wait   = 1.15·f·P/R
 *     decode  = o·f·(s0 + s1·(n+1) + s2·(K+L))     slots  = W·f·max(0, n + 1 − slots)/slots
 *     others  = γ·n·(prefill + o·f·(s1 + s2·L))    memory = W·f·max(0, 1 − room/K), room = 0.95·C − L − (n+1)·o/2
 *     displaced = γ·prefill·churn
 *     cost    = 2·T + decode + others + displaced + memory + 2·max(0, T + memory − T0),   T = wait + prefill + slots
 */
export function costOf(loads: Loads, backend: number, work: Work, weights: Weights, terms: Terms): number {
  const { promptTokens, cachedTokens, answerTokens } = work;
  const { of } = loads;
  const n = loads.requestsAt(backend);
  const resident = loads.residentAt(backend);
  const slower = loads.slownessAt(backend);
  const slots = of.slots[backend] ?? Infinity;
  const perToken = of.perToken[backend] ?? 0;
  const perSequence = of.perSequence[backend] ?? 0;
  const perResident = of.perResident[backend] ?? 0;
  const uncached = Math.max(1, promptTokens - cachedTokens);
  const attention = (of.attention[backend] ?? 0) * uncached * (promptTokens - uncached / 2);
  const residence = slower * (of.residence[backend] ?? 0);

  terms.wait = slower * loads.pendingAt(backend) * perToken * 1.15;
  terms.prefill = slower * (uncached * perToken + attention);
  terms.slots = n + 1 > slots ? (residence * (n + 1 - slots)) / slots : 0;
  terms.ttft = terms.wait + terms.prefill + terms.slots;
  const step = (of.perStep[backend] ?? 0) + perSequence * (n + 1) + perResident * (resident + promptTokens);
  terms.decode = answerTokens * slower * step;
  const longer = answerTokens * slower * (perSequence + perResident * promptTokens);
  terms.others = weights.externality * n * (terms.prefill + longer);
  terms.displaced = weights.externality * terms.prefill * loads.churnAt(backend);
  const capacity = 0.95 * (of.capacity[backend] ?? Infinity);
  terms.memory = residence * partToLeave(resident, capacity - promptTokens - ((n + 1) * answerTokens) / 2, capacity);
  terms.late = 2 * Math.max(0, terms.ttft + terms.memory - weights.ttftObjective);
  return 2 * terms.ttft + terms.decode + terms.others + terms.displaced + terms.memory + terms.late;
}

/** Of what is resident, as much as has to go before there is room; more than all of it where there never is. */
function partToLeave(resident: number, room: number, capacity: number): number {
  if (room < 0) return 1 - room / capacity;
  return resident > room ? 1 - room / resident : 0;
}
