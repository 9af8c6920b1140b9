// llm-d, sticky until saturated: among those with at least 0.8 of the prompt the least uncached tokens in flight, this prompt's
// included; among all when the best of them has τ = prefill throughput x 18 s more than the best of the others.
// llm-d blog 2026-08-17. Tokens are released at the first token. The prefix index is that of llm-d-weighted.
import type { RuleMaker } from '../routers/peer-router.ts';
import { smallest } from './choosing.ts';
import { History } from './history.ts';
import { type LlmDSettings, llmDPodTokens } from './llm-d-weighted.ts';

export interface StickySettings extends LlmDSettings {
  readonly match: number;
  readonly penaltyS: number;
}

export function llmDSticky({ match, penaltyS, ...settings }: StickySettings): RuleMaker {
  return ({ weights, trace: { blockTokens }, time, random, loads, prefillPerS }) => {
    const prefixes = new History(
      weights.length,
      { ...settings, blockTokens, maxTokens: llmDPodTokens },
      () => time.nowS,
    );
    const lead = prefillPerS * penaltyS;
    return {
      choose(request, able) {
        const ratios = new Map(able.map((backend) => [backend, prefixes.ratio(request, backend)]));
        const cost = (backend: number) => loads.uncached(backend) + request.input * (1 - (ratios.get(backend) ?? 0));
        const warm = able.filter((backend) => (ratios.get(backend) ?? 0) >= match);
        if (warm.length === 0) return smallest(able, cost, random);
        const least = (backends: readonly number[]) => Math.min(...backends.map(loads.uncached));
        const cold = able.filter((backend) => !warm.includes(backend));
        return smallest(least(warm) - least(cold) > lead ? able : warm, cost, random);
      },
      cached: (request, backend) => prefixes.ratio(request, backend) * request.input,
      placed: (request, backend) => prefixes.add(request, backend),
      restarted: (backend) => prefixes.forget(backend),
    };
  };
}
