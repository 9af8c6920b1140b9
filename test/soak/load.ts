// Mixed load: callers come by chance, in bursts now and then, and some hang up at some point. Keeps the counts of how their
// requests ended, and whole outcomes only of what went wrong.
import { Agent } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { call, type Ending, type Outcome, type Plan } from './call.ts';

/** Open loop: so many callers come in a second, whatever becomes of them. */
const perSecond = 25;
const burstEveryMs = 5_000;
/** More than the backends have slots, so that some must wait. */
const burst = 70;

export class Load {
  readonly #port: number;
  readonly #random: () => number;
  /** Idle connections are closed by the caller, long before the router would: no request meets a closing one. */
  readonly agent = new Agent({ keepAlive: true, timeout: 2_000 });
  readonly counts = new Map<string, number>();
  /** Neither whole nor left. */
  readonly failures: Outcome[] = [];
  readonly hangUps = { 'while it waits': 0, 'before the first byte': 0, 'in the middle': 0 };
  sent = 0;
  ended = 0;
  #isOn = false;
  #stopped: Promise<void> = Promise.resolve();

  constructor(port: number, random: () => number) {
    this.#port = port;
    this.#random = random;
  }

  start(): void {
    this.#isOn = true;
    this.#stopped = this.#run();
  }

  /** Nobody comes any more, and everybody has gone. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#stopped;
    while (this.ended < this.sent) await setTimeout(20);
    this.agent.destroy();
  }

  count(ending: Ending): number {
    return [...this.counts].reduce((sum, [key, count]) => sum + (key.endsWith(` ${ending}`) ? count : 0), 0);
  }

  async #run(): Promise<void> {
    let burstAtMs = performance.now() + burstEveryMs / 2;
    while (this.#isOn) {
      if (performance.now() >= burstAtMs) {
        burstAtMs += burstEveryMs;
        for (let n = 0; n < burst; n++) void this.#callOnce(n % 4 === 0);
      }
      void this.#callOnce(this.#random() < 0.25);
      await setTimeout((-Math.log(1 - this.#random()) * 1_000) / perSecond);
    }
  }

  async #callOnce(leaves: boolean): Promise<void> {
    const plan = this.#plan(leaves);
    this.sent++;
    const outcome = await call({ port: this.#port, agent: this.agent }, plan);
    this.ended++;
    const key = `${plan.kind} ${outcome.ending}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    if (outcome.ending === 'left') this.hangUps[momentOf(outcome)]++;
    else if (outcome.ending !== 'whole') this.failures.push(outcome);
  }

  #plan(leaves: boolean): Plan {
    const chance = this.#random();
    const kind = chance < 0.6 ? 'stream' : chance < 0.85 ? 'plain' : 'embeddings';
    const wish = {
      request: `r${this.sent}`,
      pieces: 1 + Math.floor(this.#random() * 40),
      firstMs: Math.floor(this.#random() * 400),
      gapMs: kind === 'stream' ? Math.floor(this.#random() * 40) : 0,
    };
    if (!leaves) return { kind, wish };
    // Late enough to have been read: of a request that never arrived nobody could tell how it ended.
    if (kind !== 'stream' || this.#random() < 0.5)
      return { kind, wish: { ...wish, firstMs: 600 }, leaves: { afterMs: 30 + Math.floor(this.#random() * 500) } };
    return { kind, wish: { ...wish, pieces: 20 }, leaves: { afterPieces: 1 + Math.floor(this.#random() * 19) } };
  }
}

/** As far as a caller can tell: so early, in a burst, it has mostly not got a slot yet. */
function momentOf({ pieces, startedMs, endedMs }: Outcome): keyof Load['hangUps'] {
  if (pieces > 0) return 'in the middle';
  return endedMs - startedMs < 150 ? 'while it waits' : 'before the first byte';
}
