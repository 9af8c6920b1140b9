// Switchyard's own stand-in for demos and client tests (src/simulated). Its `/v1/models` tells context and capabilities
// as ours does: `{"id":…,"context_length":…,"capabilities":{"tools":true},"owned_by":"switchyard-simulated"}`.
import type { Engine } from './engine.ts';
import { openai } from './openai.ts';
import { healthByStatus } from './probe-answers.ts';

export const simulated: Engine = {
  ...openai,
  name: 'simulated',
  setup: { ports: [9001] },
  resumes: { chat: 'last_message', completions: true },
  probes: {
    ...openai.probes,
    health: { paths: ['/health'], read: ([health]) => healthByStatus(health), intervalMs: 5_000, timeoutMs: 2_000 },
  },
};
