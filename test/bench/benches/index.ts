// All that can be measured. A new one is a file and a line here.
import type { Bench } from '../bench.ts';
import { backendsBench } from './backends.ts';
import { body } from './body.ts';
import { endurance } from './endurance.ts';
import { events } from './events.ts';
import { firstByte } from './first-byte.ts';
import { openStreams } from './open-streams.ts';
import { pick } from './pick.ts';
import { plainBench } from './plain.ts';
import { start } from './start.ts';
import { threads } from './threads.ts';
import { workersBench } from './workers.ts';

export const everyBench: readonly Bench[] = [
  plainBench,
  firstByte,
  events,
  openStreams,
  workersBench,
  backendsBench,
  pick,
  body,
  start,
  threads,
  endurance,
];

export const quickBenches: readonly Bench[] = [plainBench, firstByte, events];
