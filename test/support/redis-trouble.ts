// One Redis gets into trouble and out of it again under load: what callers saw, as numbers.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Answer, type Load, startLoad, summary } from './limited-replicas.ts';
import type { RouterProcess } from './router-process.ts';

export interface Trouble {
  readonly name: string;
  readonly routers: readonly RouterProcess[];
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
  /** How long it lasts. */
  readonly lastsMs: number;
  /** Requests of all callers together. */
  readonly perSecond: number;
  readonly keys?: readonly string[];
}

export interface Seen extends ReturnType<typeof summary> {
  /** From the end of the trouble until every replica has decided with Redis again. */
  readonly exactAfterMs: number;
  readonly tookSeconds: number;
  readonly during: ReturnType<typeof summary>;
  readonly after: ReturnType<typeof summary>;
}

const beforeMs = 4_000;
const afterMs = 8_000;

export async function live(trouble: Trouble): Promise<Seen> {
  const { name, routers, perSecond, keys, lastsMs } = trouble;
  const seconds = (beforeMs + lastsMs + afterMs) / 1000;
  const load = startLoad({ replicas: () => routers, perSecond, seconds, ...(keys === undefined ? {} : { keys }) });
  await sleep(beforeMs);
  const begunMs = await moment(load, trouble.begin, 'before');
  await sleep(lastsMs);
  const endedMs = await moment(load, trouble.end, 'after');
  await load.done;
  const part = (from: number, to: number): readonly Answer[] =>
    load.answers.filter(({ atMs }) => atMs >= from && atMs < to);
  const whole = summary(load.answers);
  const seen: Seen = {
    ...whole,
    tookSeconds: seconds,
    exactAfterMs: Math.round(exactAgain(part(endedMs, Infinity), routers.length) - endedMs),
    during: summary(part(begunMs, endedMs)),
    after: summary(part(endedMs + 3_000, Infinity)),
  };
  const { admitted, statuses, degraded, worstMs, exactAfterMs, during } = seen;
  const shown = { admitted, statuses, degraded, worstMs, exactAfterMs, admittedDuring: during.admitted };
  process.stdout.write(`limits, Redis ${name}: ${JSON.stringify(shown)}\n`);
  return seen;
}

function exactAgain(answers: readonly Answer[], replicas: number): number {
  const first = Array.from({ length: replicas }, (_, n) =>
    Math.min(...answers.filter(({ replica, degraded }) => replica === n && !degraded).map(({ atMs }) => atMs)),
  );
  return Math.max(...first);
}

/** How often the routers have said that they go on without Redis. */
export function timesLost(routers: readonly RouterProcess[]): number {
  return routers.flatMap(({ stderr }) => [...stderr.matchAll(/shared state does not answer/g)]).length;
}

async function moment(load: Load, act: () => Promise<unknown>, when: 'before' | 'after'): Promise<number> {
  const beforeActMs = load.nowMs();
  await act();
  return when === 'before' ? beforeActMs : load.nowMs();
}

/** Callers have noticed nothing but their limit, and soon it was exact again. */
export function expectUnharmed(seen: Seen, withinMs = 3_000): void {
  expect(seen.statuses).toEqual([200, 429]);
  expect(seen.exactAfterMs).toBeLessThanOrEqual(withinMs);
}
