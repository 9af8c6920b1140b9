// AIBrix `prefix-cache`: least requests when max − min running > 8; else holders by match and then by running requests, the
// first with running ≤ mean + 1σ; nobody: least requests.
// vllm-project/aibrix:pkg/plugins/gateway/algorithms/prefix_cache.go; 200,000 blocks of 128 characters, gone after 20 min.
import type { RuleMaker } from '../routers/peer-router.ts';
import { smallest } from './choosing.ts';
import { History } from './history.ts';

export interface AibrixSettings {
  readonly imbalance: number;
  readonly sigmas: number;
}

const tableTokens = (200_000 * 128) / 4;
const ttlS = 20 * 60;

export function aibrixPrefixCache({ imbalance, sigmas }: AibrixSettings): RuleMaker {
  return ({ weights, trace: { blockTokens }, time, random, loads }) => {
    const maxTokens = tableTokens / weights.length;
    const table = new History(weights.length, { blockTokens, maxTokens, ttlS }, () => time.nowS);
    return {
      choose(request, able) {
        const counts = able.map(loads.requests);
        const idlest = () => smallest(able, loads.requests, random);
        if (Math.max(...counts) - Math.min(...counts) > imbalance) return idlest();
        const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
        const sigma = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
        const holders = able
          .map((backend) => ({ backend, matched: table.matched(request, backend), running: loads.requests(backend) }))
          .filter(({ matched, running }) => matched > 0 && running <= mean + sigmas * sigma)
          .toSorted((a, b) => b.matched - a.matched || a.running - b.running);
        return holders[0]?.backend ?? idlest();
      },
      cached: (request, backend) => table.matched(request, backend),
      placed: (request, backend) => table.add(request, backend),
      restarted: (backend) => table.forget(backend),
    };
  };
}
