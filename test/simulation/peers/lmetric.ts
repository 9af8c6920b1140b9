// LMetric: argmin of (prefill tokens that would be left to do there, this prompt's included) x (requests there, this one included).
// arXiv 2603.15202. It has no parameters; history as large as the caches.
import type { RuleMaker } from '../routers/peer-router.ts';
import { smallest } from './choosing.ts';
import { History } from './history.ts';

export const lmetric: RuleMaker = ({ weights, trace: { blockTokens }, time, random, loads, kvTokens }) => {
  const history = new History(weights.length, { blockTokens, maxTokens: 2 * kvTokens }, () => time.nowS);
  return {
    choose: (request, able) =>
      smallest(
        able,
        (backend) => {
          const prefill = loads.uncached(backend) + request.input - history.matched(request, backend);
          return prefill * (loads.requests(backend) + 1);
        },
        random,
      ),
    cached: (request, backend) => history.matched(request, backend),
    placed: (request, backend) => history.add(request, backend),
    restarted: (backend) => history.forget(backend),
  };
};
