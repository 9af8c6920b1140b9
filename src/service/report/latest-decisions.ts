// Why requests went where they went: the last few choices that have found somebody. Of many a second only some are looked at, so
// that a busy router pays nothing for it.
import type { Counters } from '../../admission/counters.ts';
import { hasRoom } from '../../admission/slots.ts';
import type { DecisionReport } from '../../fleet/report.ts';
import type { Look } from '../../routing/claim.ts';
import { explain } from '../../routing/explanation.ts';
import { Newest } from './newest.ts';

export type Decision = Omit<DecisionReport, 'at'> & { readonly atMs: number };

const most = 50;
const mostInASecond = 10;
/** Of each: where two hundred could take it, nobody reads them all. */
const mostCandidates = 16;

export class LatestDecisions {
  readonly #inFlight: Counters;
  readonly #added: (decision: Decision) => void;
  readonly #newest = new Newest<Decision>(most);
  #secondMs = -Infinity;
  #inThisSecond = 0;

  /** `added`: told of each. */
  constructor(inFlight: Counters, added: (decision: Decision) => void = () => {}) {
    this.#inFlight = inFlight;
    this.#added = added;
  }

  looked(look: Look): void {
    const { exchange, ranked, nowMs } = look;
    if (nowMs - this.#secondMs < 1_000 && this.#inThisSecond >= mostInASecond) return;
    // Whoever waits looks again and again.
    if (!ranked().some((candidate) => hasRoom(candidate, this.#inFlight, nowMs))) return;
    if (nowMs - this.#secondMs >= 1_000) {
      this.#secondMs = nowMs;
      this.#inThisSecond = 0;
    }
    this.#inThisSecond++;
    this.add({
      atMs: nowMs,
      request_id: exchange.id,
      attempt: exchange.attempts + 1,
      queued_ms: Math.round(look.queuedMs),
      explanation: explain(look, this.#inFlight, mostCandidates),
    });
  }

  add(decision: Decision): void {
    this.#newest.add(decision);
    this.#added(decision);
  }

  /** Newest first. */
  list(): readonly Decision[] {
    return this.#newest.list();
  }
}
