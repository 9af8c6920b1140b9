// How many requests a backend can run at once, learnt from how long its answers take to begin: `max_in_flight: auto`. Beyond
// its slots an engine keeps requests in a line of its own, where they can't go elsewhere any more; they are better off here.
//
// The length of that line follows from Little's law: of the time that requests spend there, the part spent in line, times the
// requests in flight, is how many stand in line. Waiting is the time to the first token beyond what a prompt of that length
// takes on the box when nobody is in line. So what is in flight less what is in line is what the box really runs, and the limit
// goes there at once when a line shows, and up by small steps while none does, as TCP Vegas does for a path of the network
// (Brakmo and Peterson, 1995). Unlike a ratio of latencies (Netflix's Gradient2) that needs no tolerance tuned to the size of
// the box: waiting for one slot of four shows as a sixfold time to the first token, waiting for one of 64 hardly at all.
import type { InFlightLimit, Served } from '../fleet/in-flight-limit.ts';
import { type Beginning, Round } from './round.ts';
import { UnhurriedStart } from './unhurried-start.ts';
import { Work } from './work.ts';
import { YieldSearch } from './yield-search.ts';

const firstLimit = 4;
const largestLimit = 1_024;
/** Answers after which is decided; for a large box as many as it runs at once. */
const shortestRound = 10;
/** Rounds without a line until the steps grow: the box may have become larger. */
const patience = 8;
/** A line that keeps so much of its wait when fewer are let in is none. */
const stubborn = 0.8;

const noLine = { waitMs: Infinity, limit: firstLimit, times: 0 };

export class LearntLimit implements InFlightLimit {
  readonly #start = new UnhurriedStart();
  readonly #work = new Work();
  readonly #yields = new YieldSearch();
  #limit = firstLimit;
  /** Answers that began before the limit last changed tell of the one before. */
  #sinceMs = -Infinity;
  /** No line was ever seen: the limit doubles. */
  #isNew = true;
  #quietRounds = 0;
  /** What the last round waited, if that was for a line; the limit before its line; how often in a row the wait has not fallen. */
  #line = noLine;
  #round = new Round();

  get value(): number {
    return Math.floor(this.#limit);
  }

  learn(served: Served): void {
    const { startedMs, totalMs } = served;
    const beginning = this.#beginningOf(served);
    if (startedMs < this.#sinceMs) return;
    this.#round.add(served, this.#work.of(served), beginning);
    if (this.#round.count >= this.#enough()) this.#decide(startedMs + totalMs);
  }

  #enough(): number {
    if (!this.#round.showsLine) return Math.max(2 * shortestRound, this.#limit);
    return Math.max(this.#isNew ? firstLimit : shortestRound, this.#limit / 2);
  }

  #beginningOf({ firstTokenMs: startMs, startedMs, promptTokens, inFlight }: Served): Beginning | undefined {
    if (startMs === undefined) return undefined;
    const seen = { promptTokens, startMs, atMs: startedMs + startMs, alone: inFlight === 1 };
    return { startMs, usualMs: this.#start.learn(seen) };
  }

  /** That it is full is the best evidence there is. */
  refused({ startedMs, inFlight }: Pick<Served, 'startedMs' | 'inFlight'>, nowMs: number): void {
    if (startedMs >= this.#sinceMs) this.#lower(inFlight - 1, nowMs);
  }

  #decide(nowMs: number): void {
    const round = this.#round;
    this.#round = new Round();
    if (round.showsLine) this.#followLine(round, nowMs);
    else this.#followYield(round, nowMs);
  }

  #followYield({ inFlight, pace }: Round, nowMs: number): void {
    if (inFlight < 0.8 * this.#limit) return;
    this.#limit = Math.min(largestLimit, Math.round(this.#yields.next({ inFlight, pace })));
    this.#sinceMs = nowMs;
  }

  #followLine(round: Round, nowMs: number): void {
    const { inFlight, inLine } = round;
    if (inLine > Math.max(0.5, Math.sqrt(inFlight) / 4)) return this.#shorten(round, nowMs);
    this.#line = noLine;
    // A limit that nobody comes near is not known to be too low.
    if (inFlight < 0.8 * this.#limit) return;
    this.#quietRounds++;
    const grown = this.#quietRounds > patience ? Math.max(1, this.#limit / 10) : 1;
    const step = this.#isNew ? this.#limit : grown;
    this.#limit = Math.min(largestLimit, this.#limit + step);
    if (step > 1) this.#sinceMs = nowMs;
  }

  /**
   * Fewer in flight, a shorter line. Where the wait stays as long as it was, twice, there was no line: prompts have come to take
   * longer, because the box is slower or its caches no longer help. So what is seen now is usual, and the limit goes back.
   */
  #shorten({ inFlight, inLine, waitMs, slowness }: Round, nowMs: number): void {
    const isStubborn = waitMs >= stubborn * this.#line.waitMs;
    const times = isStubborn ? this.#line.times + 1 : 0;
    const limit = isStubborn ? this.#line.limit : this.#limit;
    if (times === 2) {
      this.#start.slower(slowness);
      this.#line = noLine;
      this.#limit = limit;
      this.#sinceMs = nowMs;
      return;
    }
    this.#line = { waitMs, limit, times };
    this.#lower(inFlight - inLine, nowMs);
  }

  #lower(running: number, nowMs: number): void {
    this.#isNew = false;
    this.#quietRounds = 0;
    this.#round = new Round();
    this.#sinceMs = nowMs;
    // A little less than it runs, so that nobody is in line for a while and the usual times are seen again.
    this.#limit = Math.max(1, Math.min(this.#limit, Math.round(running) - Math.floor(running / 32)));
  }
}
