// SGLang router, now SMG, `cache_aware`: least loaded when the pool is out of balance (max − min > abs and max > rel·min), else
// the holder of the longest prefix when it covers more than the threshold, else the least loaded.
// lightseekorg/smg:model_gateway/src/policies/cache_aware.rs; defaults 0.5, 32, 1.1; tree of 2^26 characters per worker.
import type { RuleMaker } from '../routers/peer-router.ts';
import { smallest } from './choosing.ts';
import { History } from './history.ts';

export interface SglangSettings {
  readonly threshold: number;
  readonly absolute: number;
  readonly relative: number;
}

const treeTokens = 2 ** 26 / 4;

export function sglangCacheAware({ threshold, absolute, relative }: SglangSettings): RuleMaker {
  return ({ weights, trace: { blockTokens }, time, random, loads }) => {
    const tree = new History(weights.length, { blockTokens, maxTokens: treeTokens }, () => time.nowS);
    return {
      choose(request, able) {
        const counts = able.map(loads.requests);
        const [least, most] = [Math.min(...counts), Math.max(...counts)];
        const idlest = () => smallest(able, loads.requests, random);
        if (most - least > absolute && most > relative * least) return idlest();
        const holder = smallest(able, (backend) => -tree.matched(request, backend), random);
        return tree.ratio(request, holder) > threshold ? holder : idlest();
      },
      cached: (request, backend) => tree.matched(request, backend),
      placed: (request, backend) => tree.add(request, backend),
      restarted: (backend) => tree.forget(backend),
    };
  };
}
