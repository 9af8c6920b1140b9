// What workers tell each other of a backend without a message: that something has come from it, that nothing does, and the limit
// that the main thread has learnt for it.
import type { Counters } from '../admission/counters.ts';
import type { InFlightLimit, Served } from '../fleet/in-flight-limit.ts';
import type { OtherEars } from '../fleet/silence.ts';
import { most, type Table } from './memory.ts';

/** Written no more often: a stream of a thousand tokens a second is one word twenty times a second. */
const hearEveryMs = 50;

/** `recovered`: something has come although another worker had found it silent. */
export function sharedEars(
  table: Table,
  backend: number,
  parts: { counters: Counters; recovered: () => void },
): OtherEars {
  let toldMs = -Infinity;
  const isStalled = () => isStalledAnywhere(table, backend);
  return {
    isStalled,
    isBusy: () => parts.counters.read(backend) > 1,
    heardAtMs: () => table.heardMs[backend] ?? 0,
    heard(nowMs) {
      if (nowMs - toldMs < hearEveryMs) return;
      toldMs = nowMs;
      table.heardMs[backend] = nowMs;
      if (isStalled()) parts.recovered();
    },
  };
}

export function isStalledAnywhere({ stalled }: Table, backend: number): boolean {
  return Atomics.load(stalled, backend) > 0;
}

export function showStalled({ stalled, stalledOf }: Table, worker: number, backend: number, is: boolean): void {
  const now = is ? 1 : 0;
  const before = Atomics.exchange(stalledOf, worker * most.backends + backend, now);
  if (before !== now) Atomics.add(stalled, backend, now - before);
}

/** Learnt here, and shown to all. */
export function publishedLimit({ limits }: Table, backend: number, learnt: InFlightLimit): InFlightLimit {
  const publish = () => void Atomics.store(limits, backend, learnt.value);
  publish();
  return {
    get value() {
      return learnt.value;
    },
    learn(served) {
      learnt.learn(served);
      publish();
    },
    refused(asked, nowMs) {
      learnt.refused(asked, nowMs);
      publish();
    },
  };
}

/** What a worker has to say about a learnt limit. `refusedAtMs`: the backend itself said that it is full. */
export type LimitNews = { readonly backend: number } & (
  | { readonly served: Served }
  | { readonly refusedAtMs: number; readonly asked: Pick<Served, 'startedMs' | 'inFlight'> }
);

export function remoteLimit({ limits }: Table, backend: number, tell: (news: LimitNews) => void): InFlightLimit {
  return {
    get value() {
      return Math.max(1, Atomics.load(limits, backend));
    },
    learn: (served) => tell({ backend, served }),
    refused: ({ startedMs, inFlight }, nowMs) => tell({ backend, refusedAtMs: nowMs, asked: { startedMs, inFlight } }),
  };
}
