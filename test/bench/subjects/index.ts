// All that stand side by side. A new one is a file and a line here.
import type { Subject } from '../subject.ts';
import { bifrost } from './bifrost.ts';
import { litellm } from './litellm.ts';
import { olla } from './olla.ts';
import { direct, haproxy, nginx, nodeRelay } from './plain-proxies.ts';
import { portkey } from './portkey.ts';
import { sglangRouter } from './sglang-router.ts';
import { smg } from './smg.ts';
import { main, switchyard } from './switchyard.ts';
import { vllmRouter } from './vllm-router.ts';

/** First, since others are measured at half of its load. */
const first = switchyard({ name: main });

const own = [
  switchyard({ name: `${main}, Redis`, redis: true }),
  switchyard({ name: `${main}, 2 workers`, workers: 2 }),
  switchyard({ name: `${main}, 2 workers, Redis`, workers: 2, redis: true }),
];

const peers = [sglangRouter, smg, vllmRouter, portkey, litellm, bifrost, olla];

export const everySubject: readonly Subject[] = [first, direct, nginx, haproxy, nodeRelay, ...own, ...peers];

export const quickSubjects: readonly Subject[] = [first, nginx, nodeRelay];
