// The limit where nobody sees when an answer begins: plain answers come all at once. Their time is mostly that of their own
// tokens, whose pace falls with the load, so there is no usual time to compare with. What can be compared is what the box
// yields: where more in flight makes everything slower by the same factor, the additional ones only stand in line. So now and then a quarter
// more and a fifth less is tried for a round, and the smaller number is kept where the larger one yields next to nothing.

/** Of what more requests would yield if none of them stood in line; below, they are taken to stand there. */
const worthIt = 0.4;
/** Rounds between two trials, and the time per unit of work from which the box must have changed. */
const patience = 3;
const otherBox = 1.6;

interface Seen {
  readonly inFlight: number;
  /** Milliseconds that a unit of work takes. */
  readonly pace: number;
}

export class YieldSearch {
  #settled: Seen | undefined = undefined;
  /** Which way the last trial went, and whether it still runs. */
  #direction: 'more' | 'less' = 'more';
  #isTrying = false;
  /** Since the last trial. */
  #rounds = 0;
  /** In a row in which the box was another one. */
  #slower = 0;
  /** No trial for more has failed: the steps are large. */
  #isNew = true;

  /** Takes what a round has shown, and returns how many to let in next. */
  next(seen: Seen): number {
    const settled = this.#settled;
    if (settled === undefined) return this.#settle(seen);
    if (this.#isTrying) return this.#judge(settled, seen);
    this.#slower = seen.pace > otherBox * settled.pace ? this.#slower + 1 : 0;
    if (this.#slower > 1) return this.#startAnew(settled, seen);
    if (this.#slower === 1) return settled.inFlight;
    this.#settled = { inFlight: settled.inFlight, pace: settled.pace + 0.3 * (seen.pace - settled.pace) };
    if (++this.#rounds < patience) return settled.inFlight;
    return this.#try(this.#direction === 'more' ? 'less' : 'more', settled.inFlight);
  }

  #judge(settled: Seen, seen: Seen): number {
    this.#isTrying = false;
    const [fewer, more] = seen.inFlight > settled.inFlight ? [settled, seen] : [seen, settled];
    const gained = more.inFlight / more.pace / (fewer.inFlight / fewer.pace) - 1;
    const isMoreBetter = gained >= worthIt * (more.inFlight / fewer.inFlight - 1);
    if (isMoreBetter && more === seen) return this.#settle(seen);
    this.#isNew = false;
    if (!isMoreBetter && fewer === seen) this.#settled = seen;
    return this.#settled?.inFlight ?? seen.inFlight;
  }

  /** More was worth it, so still more may be. */
  #settle(seen: Seen): number {
    this.#settled = seen;
    return this.#try('more', seen.inFlight);
  }

  #try(direction: 'more' | 'less', inFlight: number): number {
    this.#direction = direction;
    this.#isTrying = true;
    this.#rounds = 0;
    if (direction === 'more') return Math.ceil(inFlight * (this.#isNew ? 2 : 1.25));
    return Math.max(1, Math.min(inFlight - 1, Math.round(inFlight * 0.8)));
  }

  /** As many more as it takes longer are in line now. */
  #startAnew(settled: Seen, seen: Seen): number {
    this.#settled = undefined;
    this.#slower = 0;
    return Math.max(1, Math.round((seen.inFlight * settled.pace) / seen.pace));
  }
}
