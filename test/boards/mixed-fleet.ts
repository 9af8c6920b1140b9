// A small fleet in which everything happens that a board shows: a good box, one that fails in many ways, one that is full,
// one that is gone, and limits shared in Redis.
import { answer, diesAfter, fault } from '../support/scripted/behaviours.ts';
import type { ScriptedEngine } from '../support/scripted-engine.ts';

export const keys = { research: 'sk-research', small: 'sk-small' } as const;

export interface Boxes {
  readonly solid: ScriptedEngine;
  readonly frail: ScriptedEngine;
}

export interface FleetWishes extends Boxes {
  readonly redisUrl: string;
  /** Of the good box. */
  readonly weight: number;
}

export function mixedFleet({ solid, frail, redisUrl, weight }: FleetWishes): string {
  return `
version: 1
server: { drain_delay: 0s, drain_timeout: 1s }
auth:
  keys:
    - { tenant: research, key: "\${KEY_PREFIX:-}${keys.research}" }
    - { tenant: small, key: "\${KEY_PREFIX:-}${keys.small}", limits: { requests_per_minute: 10 } }
shared_state: { redis: "${redisUrl}" }
defaults:
  probe: { interval: 1s, timeout: 800ms, up_after: 1, down_after: 2 }
  circuit: { consecutive: 3, min_requests: 6, open_for: 2s }
backends:
  - { name: solid, engine: vllm, url: "${solid.url}", weight: ${weight} }
  - { name: frail, engine: vllm, url: "${frail.url}" }
  - { name: narrow, engine: simulated, max_in_flight: 1, simulate: { models: [narrow], first_token: 200ms, tokens_per_second: 20 } }
  - { name: embed, engine: simulated, simulate: { models: [embed], first_token: 5ms, tokens_per_second: 1000 } }
  - { name: gone, engine: openai, url: "http://127.0.0.1:9", models: [gone] }
models:
  narrow: { queue: { max_length: 3, max_wait: 1s } }
  gone: { fallback: { no_backend: [chat] } }
routing: { slow_start: 0s }
logging: { access: none }
`;
}

/** Two slots, behind which requests stand in line inside the box; one answer in six does not tell its tokens. */
export function playSolid(engine: ScriptedEngine): void {
  engine.respond((_request, n) =>
    answer({ count: 6, firstMs: 20, gapMs: 15, ...(n % 6 === 0 ? { usage: 'never' } : { usage: 'always' }) }),
  );
}

/** Of seven requests one stream breaks, one fails at once, and one finds the box full. */
export function playFrail(engine: ScriptedEngine): void {
  engine.respond((_request, n) => {
    if (n % 7 === 2) return diesAfter(3, 'reset', { gapMs: 10 });
    if (n % 7 === 4) return fault('internal', { as: 'status' });
    if (n % 7 === 6) return fault('busy');
    return answer({ count: 6, firstMs: 40, gapMs: 25, usage: 'always' });
  });
}
