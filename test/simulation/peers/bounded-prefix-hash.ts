// Consistent hashing with bounded load: on from the key's place to the first with load ≤ 1.25·(total + 1)/n.
// kubeai-project/kubeai:internal/loadbalancer/balance_chwbl.go; Mirrokni, Thorup, Zadimoghaddam 2017. The key there is the first
// 100 characters of the first user message.
import type { RuleMaker } from '../routers/peer-router.ts';
import { Ring } from './choosing.ts';
import { sessionKeys } from './session-key.ts';

const pointsEach = 256;
const bound = 1.25;

export const boundedPrefixHash: RuleMaker = ({ weights, trace, sessionHeaders, loads }) => {
  const ring = new Ring(weights.length, pointsEach);
  const keyOf = sessionKeys(trace, sessionHeaders);
  return {
    choose(request, able) {
      const total = able.reduce((sum, backend) => sum + loads.requests(backend), 0);
      const most = (bound * (total + 1)) / able.length;
      for (const backend of ring.from(keyOf(request)))
        if (able.includes(backend) && loads.requests(backend) <= most) return backend;
      return able[0] ?? 0;
    },
  };
};
