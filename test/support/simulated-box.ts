// A box in simulated time: so many slots, a line inside, prompts that take their time by length, and tokens that come the more
// slowly the more requests run. Everything is drawn from a seed.
import { fakeClock } from './fake-clock.ts';
import { seededRandom } from './seeded-random.ts';

export interface SimulatedAnswer {
  readonly startedMs: number;
  readonly firstTokenMs: number;
  readonly totalMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly inFlight: number;
}

export interface SimulatedBox {
  /** Can be changed while it runs. */
  slots: number;
  perPromptTokenMs: number;
  readonly nowMs: number;
  /** Lets time pass with always somebody who wants to be let in. */
  run(ms: number, limit: () => number, ended: (answer: SimulatedAnswer) => void): void;
}

export interface BoxWishes {
  readonly slots: number;
  readonly seed: number;
  /** ±: of every time. */
  readonly noise?: number;
  readonly perPromptTokenMs?: number;
  readonly meanOutputTokens?: number;
  /** How many want in at once at most; without end unless said. */
  readonly callers?: number;
}

export function simulatedBox(wishes: BoxWishes): SimulatedBox {
  const { noise = 0.3, meanOutputTokens = 150, callers = Infinity } = wishes;
  const clock = fakeClock(0);
  const random = seededRandom(wishes.seed);
  const noisy = (ms: number) => ms * (1 + noise * (2 * random() - 1));
  const line: (() => void)[] = [];
  let running = 0;
  let inFlight = 0;
  let limit = () => 0;
  let ended: (answer: SimulatedAnswer) => void = () => {};
  const box = {
    slots: wishes.slots,
    perPromptTokenMs: wishes.perPromptTokenMs ?? 0.25,
    get nowMs() {
      return clock.now();
    },
    run(ms: number, wanted: () => number, told: (answer: SimulatedAnswer) => void) {
      limit = wanted;
      ended = told;
      letIn();
      clock.advance(ms);
    },
  };

  function letIn(): void {
    while (inFlight < Math.min(limit(), callers)) ask();
  }

  function ask(): void {
    inFlight++;
    const startedMs = clock.now();
    const promptTokens = Math.round(32 * 2 ** (8 * random()));
    const outputTokens = meanOutputTokens === 1 ? 1 : Math.ceil(-Math.log(1 - random()) * meanOutputTokens);
    const asked = { startedMs, promptTokens, outputTokens, inFlight };
    line.push(() => {
      clock.after(noisy(30 + box.perPromptTokenMs * promptTokens), () => {
        const firstTokenMs = clock.now() - startedMs;
        const perTokenMs = 20 * (1 + running / 128);
        clock.after(noisy(perTokenMs * (outputTokens - 1)), () => {
          running--;
          inFlight--;
          ended({ ...asked, firstTokenMs, totalMs: clock.now() - startedMs });
          start();
          letIn();
        });
      });
    });
    start();
  }

  function start(): void {
    while (running < box.slots && line.length > 0) {
      running++;
      line.shift()?.();
    }
  }

  return box;
}
