// llm-d / GAIE endpoint picker, the chart's weights: 3·prefix + 2·(1 − waiting, min to max) + 2·(1 − KV use), the largest wins,
// ties at random. Waiting and KV use are scraped.
// llm-d/llm-d-inference-scheduler:pkg/epp, config/charts/epplib/templates/_config.yaml; blocks of 64 characters, at most 256 of
// a prompt (`depthTokens`), 31,250 of each pod.
import type { Reading } from '../routers/router.ts';
import type { RuleMaker } from '../routers/peer-router.ts';
import { smallest } from './choosing.ts';
import { History } from './history.ts';

export interface LlmDSettings {
  readonly depthTokens?: number;
}

export const llmDDepthTokens = (256 * 64) / 4;
export const llmDPodTokens = (31_250 * 64) / 4;
const idle: Reading = { running: 0, waiting: 0, kvUse: 0 };

export function llmDWeighted(settings: LlmDSettings): RuleMaker {
  return ({ weights, trace: { blockTokens }, time, random }) => {
    const prefixes = new History(
      weights.length,
      { ...settings, blockTokens, maxTokens: llmDPodTokens },
      () => time.nowS,
    );
    const readings: Reading[] = weights.map(() => idle);
    const readingOf = (backend: number) => readings[backend] ?? idle;
    return {
      choose(request, able) {
        const queues = able.map((backend) => readingOf(backend).waiting);
        const [least, most] = [Math.min(...queues), Math.max(...queues)];
        const queue = (waiting: number) => (most === least ? 1 : (most - waiting) / (most - least));
        const score = (backend: number) => {
          const { waiting, kvUse } = readingOf(backend);
          return 3 * prefixes.ratio(request, backend) + 2 * queue(waiting) + 2 * (1 - kvUse);
        };
        return smallest(able, (backend) => -score(backend), random);
      },
      cached: (request, backend) => prefixes.matched(request, backend),
      placed: (request, backend) => prefixes.add(request, backend),
      scraped: (backend, reading) => {
        readings[backend] = reading;
      },
      restarted: (backend) => prefixes.forget(backend),
    };
  };
}
