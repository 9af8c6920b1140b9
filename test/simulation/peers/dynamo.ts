// NVIDIA Dynamo's KV router: cost = weight·prefill blocks + decode blocks, lowest wins. Prefill blocks: uncached prompt work under
// way there, this request's included. Decode blocks: blocks of active sequences, each once, this request's new ones included.
// ai-dynamo/dynamo:docs/router/router_guide.md; weight 1.0, blocks of 16 tokens, temperature 0. Without cache events from the
// engines it goes by its own history (120 s, 2^20 blocks); with them it knows what every engine has.
import type { TraceRequest } from '../trace/trace.ts';
import type { RuleMaker } from '../routers/peer-router.ts';
import { smallest } from './choosing.ts';
import { History } from './history.ts';

export interface DynamoSettings {
  readonly weight: number;
  readonly events: boolean;
}

const dynamoBlockTokens = 16;
const ttlS = 120;
const maxBlocks = 2 ** 20;

export function dynamo({ weight, events }: DynamoSettings): RuleMaker {
  return ({ weights, trace: { blockTokens }, time, random, loads, cachedOn }) => {
    const maxTokens = (maxBlocks * dynamoBlockTokens) / weights.length;
    const history = new History(weights.length, { blockTokens, maxTokens, ttlS }, () => time.nowS);
    const active = weights.map(() => new Map<number, number>());
    const cached = (request: TraceRequest, backend: number) =>
      events ? cachedOn(backend, request) : history.matched(request, backend);
    const resident = ({ chain, input }: TraceRequest, backend: number) => {
      const blocks = active[backend];
      const shared = chain.findIndex((name) => blocks?.has(name) !== true);
      return input - (shared < 0 ? chain.length : shared) * blockTokens;
    };
    const count = ({ chain }: TraceRequest, backend: number, delta: 1 | -1) => {
      const blocks = active[backend];
      for (const name of chain) {
        const left = (blocks?.get(name) ?? 0) + delta;
        if (left > 0) blocks?.set(name, left);
        else blocks?.delete(name);
      }
    };
    const mine = new Set<TraceRequest>();
    return {
      choose: (request, able) =>
        smallest(
          able,
          (backend) => {
            const prefill = loads.uncached(backend) + request.input - cached(request, backend);
            return (weight * prefill + loads.resident(backend) + resident(request, backend)) / dynamoBlockTokens;
          },
          random,
        ),
      cached,
      resident(request, backend) {
        const tokens = resident(request, backend);
        mine.add(request);
        count(request, backend, 1);
        return tokens;
      },
      placed: (request, backend) => history.add(request, backend),
      ended(request, backend) {
        if (mine.delete(request)) count(request, backend, -1);
      },
      restarted: (backend) => history.forget(backend),
    };
  };
}
