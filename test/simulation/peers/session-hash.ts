// Session affinity by a hash ring, blind to load.
// vllm-project/production-stack:src/vllm_router/routers/routing_logic.py (SessionRouter); lightseekorg/smg `consistent_hashing`.
import type { RuleMaker } from '../routers/peer-router.ts';
import { Ring } from './choosing.ts';
import { sessionKeys } from './session-key.ts';

const pointsEach = 160;

export const sessionHash: RuleMaker = ({ weights, trace, sessionHeaders }) => {
  const ring = new Ring(weights.length, pointsEach);
  const keyOf = sessionKeys(trace, sessionHeaders);
  return {
    choose(request, able) {
      for (const backend of ring.from(keyOf(request))) if (able.includes(backend)) return backend;
      return able[0] ?? 0;
    },
  };
};
