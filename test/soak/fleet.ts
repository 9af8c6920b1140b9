// The fleet file of soaks and trials. Time limits are short, so that faults are felt within seconds; the retry budget never
// runs out, because a soak is to show that nothing is lost, not how much work a failing fleet is spared.
import type { EngineProcess } from './engine-process.ts';

export interface FleetWishes {
  readonly slots: number;
  readonly drainDelay?: string;
}

export function fleetOf(engines: readonly EngineProcess[], { slots, drainDelay = '0s' }: FleetWishes): string {
  const backends = engines.map(({ name, url }) => `  - { name: ${name}, engine: vllm, url: "${url}" }`);
  return [
    'version: 1',
    `server: { drain_delay: ${drainDelay}, drain_timeout: 60s }`,
    'defaults:',
    '  probe: { interval: 1s, timeout: 500ms, up_after: 1, down_after: 2 }',
    '  timeouts: { connect: 1s, first_byte: 3s, first_byte_plain: 3s, gap: 2s }',
    '  circuit: { open_for: 500ms, open_max: 1s }',
    `  max_in_flight: ${slots}`,
    'backends:',
    ...backends,
    'routing:',
    '  retries: { budget_ratio: 1 }',
    '  queue: { max_length: 1000, max_wait: 30s }',
    'logging: { format: json, access: errors }',
    '',
  ].join('\n');
}
