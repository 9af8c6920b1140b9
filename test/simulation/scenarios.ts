// What is simulated: a trace at a rate, on a fleet, through one router and through several.
import { seededRandom } from '../support/seeded-random.ts';
import type { Objective } from './metrics.ts';
import { type Profile, profiles } from './replica/profiles.ts';
import type { Run } from './simulation.ts';
import { withFlood } from './trace/flood.ts';
import { agentTrace, documentTrace } from './trace/generated.ts';
import { readTrace } from './trace/read.ts';
import { faster, shorterThan, spanS, spreadInTicks, type Trace } from './trace/trace.ts';

export interface Scenario {
  readonly id: string;
  readonly about: string;
  readonly profile: Profile;
  readonly backends: number;
  readonly routers: readonly number[];
  /** How many times as fast requests arrive as in the trace. */
  readonly rate: number;
  readonly objective: Objective;
  /** Before the rate; the same for every policy. */
  readonly trace: (seed: number) => Trace;
  readonly speeds?: readonly number[];
  readonly weights?: readonly number[];
  /** Whether requests carry their conversation in a header. */
  readonly sessionHeaders?: boolean;
  /** What goes wrong on the way, of a trace that lasts so many seconds. */
  readonly trouble?: (lastsS: number) => Pick<Run, 'churn' | 'channel'>;
}

const chatObjective: Objective = { ttftS: 2, prefillFactor: 1, tpotS: 0.1 };
const slowObjective: Objective = { ttftS: 2, prefillFactor: 2, tpotS: 0.15 };
const tickS = 3;
const read = new Map<string, Trace>();

/** One of those in the repository, or any other file; read once. */
export function storedTrace(name: string): Trace {
  const file = name.includes('/') ? name : `${import.meta.dirname}/traces/${name}.jsonl.gz`;
  const known = read.get(file) ?? readTrace(file);
  read.set(file, known);
  return known;
}

let chatTrace = 'mooncake-conversation';

/** All of Mooncake's conversations, say, in place of the part of them that is in the repository; wherever that is used. */
export function useForChat(file: string): void {
  chatTrace = file;
}

/** Mooncake's clock ticks every 3 s. */
function chat(seed: number): Trace {
  return spreadInTicks(storedTrace(chatTrace), tickS, seededRandom(seed));
}

const s1: Scenario = {
  id: 'S1',
  about: 'chat: Mooncake conversation',
  profile: profiles['8b-a100'],
  backends: 16,
  routers: [1, 4],
  rate: 2.2,
  objective: chatObjective,
  trace: chat,
};

export const scenarios: readonly Scenario[] = [
  s1,
  {
    ...s1,
    id: 'S2',
    about: 'long documents, asked about a few times (generated)',
    rate: 1.3,
    trace: (seed) => documentTrace({ seed, requests: 3000, ratePerS: 3.9 }),
  },
  {
    ...s1,
    id: 'S3',
    about: '120 coding agents, closed loop (generated)',
    profile: profiles['8b-h100'],
    rate: 1,
    trace: (seed) => agentTrace({ seed, sessions: 120, gapS: 6, maxTokens: 128 * 1024 }),
    sessionHeaders: true,
  },
  {
    ...s1,
    id: 'S4',
    about: 'lengths only: Azure code, nothing to cache',
    profile: profiles['70b-4xa100'],
    backends: 8,
    rate: 1.5,
    objective: slowObjective,
    trace: () => storedTrace('azure-code'),
  },
  {
    ...s1,
    id: 'S5',
    about: 'S1 on backends of speeds 1.4, 1, 0.6 and 1, known by their weights',
    rate: 1.6,
    speeds: [1.4, 1, 0.6, 1],
    weights: [1.4, 1, 0.6, 1],
  },
  {
    ...s1,
    id: 'S6',
    about: 'S1 with one backend at 0.3 of its speed, which nobody has told the router',
    rate: 1.6,
    speeds: [0.3, ...Array.from({ length: 15 }, () => 1)],
  },
  { ...s1, id: 'S7', about: 'S1 on 64 backends', backends: 64, routers: [1, 8], rate: 8.8 },
  {
    ...s1,
    id: 'S8',
    about: 'S1 while one backend dies and comes back, and Redis is away for 30 s',
    rate: 1.8,
    trouble: (lastsS) => ({
      churn: { backend: 3, diesS: lastsS / 3, returnsS: (2 * lastsS) / 3 },
      channel: { cut: [(lastsS / 2) * 1000, (lastsS / 2 + 30) * 1000] },
    }),
  },
  {
    ...s1,
    id: 'S9',
    about: 'S1 of eight tenants, and a ninth that sends five times as much as each',
    rate: 1.3,
    trace: (seed) => withFlood(chat(seed), { tenants: 8, times: 5, random: seededRandom(seed + 77) }),
  },
  {
    ...s1,
    id: 'S10',
    about: 'short prompts of S4 on llama.cpp with 4 slots',
    profile: profiles['llamacpp-8b-q4'],
    backends: 8,
    rate: 3,
    objective: slowObjective,
    trace: () => shorterThan(storedTrace('azure-code'), 2048),
  },
];

/** As it is simulated: with its rate, for one seed. */
export function arrivals({ trace, rate }: Scenario, seed: number): Trace {
  return faster(trace(seed), rate);
}

export function troubleOf({ trouble }: Scenario, trace: Trace): Pick<Run, 'churn' | 'channel'> {
  return trouble?.(spanS(trace)) ?? {};
}
