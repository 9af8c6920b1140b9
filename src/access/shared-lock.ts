// One at a time among the threads of a process. What is done inside takes about a microsecond, so whoever finds the lock
// taken looks again a few times before it sleeps.

/** Where it stands in the words it is given: who is inside, how often somebody has come in, whether anybody sleeps. */
const holderAt = 0;
const turnAt = 1;
const sleepersAt = 2;

/** Somewhat longer than what is done inside: beyond that its holder is not running, and the core may be needed for that. */
const looks = 100;
/** Who sleeps is woken, and if not wakes by itself. */
const sleepMs = 1;
/** So often a sleeper finds the same thread inside before it takes that for dead. Whoever ends threads says so earlier. */
const sleepsUntilDead = 1_000;

export class SharedLock {
  readonly #words: Int32Array;
  readonly #holder: number;

  /** `holder`: above 0, and of one thread only. */
  constructor(words: Int32Array, holder: number) {
    this.#words = words;
    this.#holder = holder;
  }

  enter(): void {
    if (this.#tryEnter() !== 0) this.#wait();
    Atomics.add(this.#words, turnAt, 1);
  }

  leave(): void {
    this.leaveFor(this.#holder);
  }

  /** For a thread that has ended, perhaps inside. Not inside: nothing. */
  leaveFor(holder: number): void {
    if (Atomics.compareExchange(this.#words, holderAt, holder, 0) !== holder) return;
    if (Atomics.load(this.#words, sleepersAt) === 0) return;
    Atomics.store(this.#words, sleepersAt, 0);
    Atomics.notify(this.#words, holderAt, 1);
  }

  /** Who is inside; 0: nobody was, and now this thread is. */
  #tryEnter(): number {
    return Atomics.compareExchange(this.#words, holderAt, 0, this.#holder);
  }

  #wait(): void {
    for (let n = 0; n < looks; n++) if (this.#tryEnter() === 0) return;
    let [turn, sleeps] = [Atomics.load(this.#words, turnAt), 0];
    for (;;) {
      // Before every try: it is one that sleeps who is woken, and by leaving later we wake the next.
      Atomics.store(this.#words, sleepersAt, 1);
      const holder = this.#tryEnter();
      if (holder === 0) return;
      const isStill = Atomics.wait(this.#words, holderAt, holder, sleepMs) === 'timed-out';
      const turnNow = Atomics.load(this.#words, turnAt);
      sleeps = isStill && turnNow === turn ? sleeps + 1 : 0;
      turn = turnNow;
      if (sleeps >= sleepsUntilDead) this.leaveFor(holder);
    }
  }
}
