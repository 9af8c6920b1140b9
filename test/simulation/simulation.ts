// One run: a trace against simulated replicas, through so many routers with one policy. The same seed gives the same run.
import { seededRandom } from '../support/seeded-random.ts';
import { type Job, Replica } from './replica/replica.ts';
import type { Profile } from './replica/profiles.ts';
import { type ChannelSettings, channelDefaults, openChannel } from './routers/channel.ts';
import type { Router, SimulatedPolicy } from './routers/router.ts';
import type { Trace, TraceRequest } from './trace/trace.ts';
import { VirtualTime } from './virtual-time.ts';

export interface FleetShape {
  readonly profile: Profile;
  readonly backends: number;
  /** Of the backends in turn; 1: as the profile says. */
  readonly speeds: readonly number[];
  /** As configured, of the backends in turn. */
  readonly weights: readonly number[];
}

/** One backend dies and comes back with nothing cached. */
export interface Churn {
  readonly backend: number;
  readonly diesS: number;
  readonly returnsS: number;
}

export interface Run {
  readonly trace: Trace;
  readonly fleet: FleetShape;
  readonly policy: SimulatedPolicy;
  readonly routers: number;
  readonly seed: number;
  readonly channel?: Partial<ChannelSettings>;
  readonly scrapeMs?: number;
  readonly churn?: Churn;
  readonly sessionHeaders?: boolean;
}

/** How one request fared. Times in seconds of the run. */
export interface Served {
  readonly request: TraceRequest;
  readonly arrivedS: number;
  readonly firstTokenS: number;
  readonly endedS: number;
  readonly cachedTokens: number;
  readonly backend: number;
  /** False: its backend died after the first token. */
  readonly ok: boolean;
}

export interface Outcome {
  readonly served: readonly Served[];
  readonly busyS: readonly number[];
  readonly preemptions: number;
  /** Attempts that were made again because a backend died. */
  readonly retries: number;
}

const scrapeDelayMs = 50;

export function simulate(run: Run): Outcome {
  return new Simulation(run).run();
}

class Simulation {
  readonly #run: Run;
  readonly #time = new VirtualTime();
  readonly #replicas: readonly Replica[];
  readonly #routers: readonly Router[];
  readonly #spray: () => number;
  readonly #followers: ReadonlyMap<number, readonly TraceRequest[]>;
  readonly #served: Served[] = [];
  #able: number[];
  #retries = 0;

  constructor(run: Run) {
    const { fleet, trace, policy, seed } = run;
    this.#run = run;
    this.#able = Array.from({ length: fleet.backends }, (_, backend) => backend);
    this.#replicas = this.#able.map(
      (backend) =>
        new Replica({
          profile: fleet.profile,
          time: this.#time,
          speed: fleet.speeds[backend % fleet.speeds.length] ?? 1,
          pageTokens: trace.blockTokens,
        }),
    );
    this.#spray = seededRandom(seed * 7919 + 1);
    this.#routers = Array.from({ length: run.routers }, (_, id) =>
      policy.router({
        id,
        routers: run.routers,
        weights: this.#able.map((backend) => fleet.weights[backend % fleet.weights.length] ?? 1),
        prefillPerS: 1 / fleet.profile.cp,
        kvTokens: fleet.profile.kvTokens,
        profile: fleet.profile,
        trace,
        time: this.#time,
        random: seededRandom(seed * 7919 + 100 + id),
        sessionHeaders: run.sessionHeaders ?? false,
        cachedOn: (backend, request) => this.#replicas[backend]?.memory.cachedTokens(request) ?? 0,
      }),
    );
    this.#followers = Map.groupBy(
      trace.requests.filter(({ after }) => after !== undefined),
      ({ after }) => after ?? 0,
    );
  }

  run(): Outcome {
    const { trace, policy, routers, seed, channel, churn } = this.#run;
    for (const request of trace.requests)
      if (request.after === undefined) this.#time.at(request.atS * 1000, () => this.#arrive(request));
    if (policy.sync && routers > 1)
      openChannel({
        routers: this.#routers,
        time: this.#time,
        random: seededRandom(seed * 7919 + 2),
        settings: { ...channelDefaults, ...channel },
      });
    this.#scrape();
    if (churn !== undefined) this.#plan(churn);
    this.#time.runUntil(() => this.#served.length === trace.requests.length);
    return {
      served: this.#served,
      busyS: this.#replicas.map(({ busyS }) => busyS),
      preemptions: this.#replicas.reduce((sum, { preemptions }) => sum + preemptions, 0),
      retries: this.#retries,
    };
  }

  #arrive(request: TraceRequest): void {
    const router = this.#routers[Math.floor(this.#spray() * this.#routers.length)];
    if (router !== undefined) this.#send(request, { router, arrivedS: this.#time.nowS });
  }

  #send(request: TraceRequest, came: { readonly router: Router; readonly arrivedS: number }): void {
    const { router, arrivedS } = came;
    const placement = router.place(request, this.#able);
    const { backend } = placement;
    let firstTokenS: number | undefined = undefined;
    let cachedTokens = 0;
    const end = (ok: boolean, generated: number) => {
      placement.ended({ ok, cachedTokens, generated });
      if (firstTokenS === undefined) return;
      this.#served.push({ request, arrivedS, firstTokenS, endedS: this.#time.nowS, cachedTokens, backend, ok });
      for (const follower of this.#followers.get(request.index) ?? [])
        this.#time.after(follower.thinkS * 1000, () => this.#arrive(follower));
    };
    const job: Job = {
      chain: request.chain,
      input: request.input,
      output: request.output,
      firstToken: (cached) => {
        firstTokenS = this.#time.nowS;
        cachedTokens = cached;
        placement.firstToken();
      },
      grew: () => placement.grew(),
      finished: () => end(true, request.output),
      lost: () => {
        end(false, 0);
        if (firstTokenS !== undefined) return;
        this.#retries++;
        this.#time.after(0, () => this.#send(request, came));
      },
    };
    this.#replicas[backend]?.submit(job);
  }

  #scrape(): void {
    const everyMs = this.#run.scrapeMs ?? 1000;
    for (const [id, router] of this.#routers.entries()) {
      if (router.scraped === undefined) continue;
      for (const [backend, replica] of this.#replicas.entries()) {
        const firstMs = everyMs * (((backend * this.#routers.length + id) * 0.618) % 1);
        const scrape = () => {
          if (!this.#able.includes(backend)) return;
          const { running, waiting } = replica;
          const reading = { running, waiting, kvUse: replica.memory.use };
          this.#time.after(scrapeDelayMs, () => router.scraped?.(backend, reading));
        };
        this.#time.every(everyMs, scrape, firstMs);
      }
    }
  }

  #plan({ backend, diesS, returnsS }: Churn): void {
    this.#time.at(diesS * 1000, () => {
      this.#able = this.#able.filter((other) => other !== backend);
      this.#replicas[backend]?.die();
    });
    this.#time.at(returnsS * 1000, () => {
      this.#able = [...this.#able, backend].toSorted((a, b) => a - b);
      for (const router of this.#routers) router.restarted?.(backend);
    });
  }
}
