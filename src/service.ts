// The composition root: builds every part, and starts, drains and stops them in order. Nobody imports it but the CLI.
import type { RateLimiter } from './access/limiter.ts';
import { plainCounters } from './admission/counters.ts';
import { type Clock, systemClock } from './clock.ts';
import type { LoadedFleet, RefusedFleet } from './config/load.ts';
import type { BackendState } from './fleet/backend-state.ts';
import type { Address, Fleet } from './fleet/fleet.ts';
import type { Logger } from './log.ts';
import { createMetrics } from './metrics/observe.ts';
import type { Readings } from './pressure/watch.ts';
import { followRequests } from './service/follow-requests.ts';
import type { Applied, ApplyOptions } from './service/live-fleet.ts';
import { openAdmin } from './service/open-admin.ts';
import { openGossip } from './service/open-gossip.ts';
import { openDiscovery, type DiscoveryParts } from './service/open-discovery.ts';
import { openFleet } from './service/open-fleet.ts';
import { openReads } from './service/open-reads.ts';
import { openServing } from './service/open-serving.ts';
import { createReload, type Reload } from './service/reload.ts';
import { Recorder } from './service/report/recorder.ts';
import { mostBackends, openCrew } from './service/threads/crew.ts';
import type { DrainTimes, Serving } from './service/serving.ts';

export interface ServiceOptions {
  readonly log: Logger;
  readonly version: string;
  /** Of the sources it was built from. */
  readonly revision?: string;
  /** Reads the fleet file again; left out: it never changes. */
  readonly load?: () => LoadedFleet | RefusedFleet;
  /** The same for whoever only looks; left out: as `load`. */
  readonly peek?: () => LoadedFleet | RefusedFleet;
  /** What the fleet came from, for people, and the hash of that. */
  readonly source?: string;
  readonly hash?: string;
  /** Left out: the limits of the fleet file. */
  readonly limiter?: RateLimiter;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** How long a caller may take to send its body; 60 s unless said. */
  readonly bodyTimeoutMs?: number;
  /** And for the head; 10 s unless said. */
  readonly headTimeoutMs?: number;
  /** What is said to be used up of the router itself, in place of what really is. */
  readonly readings?: Partial<Readings>;
  /** Who tells which backends there are, in place of the system's name servers and the cluster around. */
  readonly answerers?: DiscoveryParts['answerers'];
}

export interface Service {
  readonly address: Address;
  /** Of the admin listener, where there is one. */
  readonly adminAddress: Address | undefined;
  /** What runs now. */
  readonly fleet: Fleet;
  /** Resolves when every backend has been asked once. */
  readonly discovered: Promise<void>;
  readonly states: readonly BackendState[];
  models(backend: string): readonly string[];
  /** Makes this the running fleet. Its settings that need a restart stay as they are. */
  apply(fleet: Fleet, options?: Partial<ApplyOptions>): Promise<Applied>;
  /** Reads the fleet file and applies it; resolves with how that ended, whatever it was. */
  readonly reload: Reload;
  /** Whether the newest fleet file was refused for what may be another one in a while. */
  mayPass(): boolean;
  /** Takes a backend out of rotation, or back into it; undefined: there is none of this name. */
  drain(backend: string, draining: boolean): { readonly state: string; readonly inFlight: number } | undefined;
  /** What there is for backends: as many of each as the fleet has, and none for what has left it. */
  counts(): Readonly<Record<'states' | 'leaving' | 'connections' | 'probes' | 'simulated' | 'timers', number>>;
  /** What is held right now; all zero when nothing runs. */
  held(): Readonly<Record<'running' | 'inFlight' | 'queued' | 'waiting' | 'bodyBytes', number>>;
  /** Ends one of several threads that serve as if it had died; for tests. */
  readonly killWorker?: (worker: number) => Promise<void>;
  /** Finishes what runs, accepts nothing new, and releases everything. */
  stop(how?: DrainTimes): Promise<void>;
}

export async function startService(first: Fleet, options: ServiceOptions): Promise<Service> {
  const { log, version, revision = 'unknown', hash = '', clock = systemClock, random = Math.random } = options;
  const { bodyTimeoutMs = 60_000, headTimeoutMs = 10_000 } = options;
  const metrics = createMetrics({ version, revision, settings: first.metrics });
  const { answerers = {} } = options;
  const crew = await openCrew(first, { log, clock, unheard: () => discovery.unheard() });
  const inFlight = crew?.inFlight ?? plainCounters();
  const recorder = new Recorder(clock, inFlight);
  const discovery = await openDiscovery(first, { log, metrics: metrics.discovery, clock, random, answerers });
  const open = await openFleet(discovery.whole(), {
    log,
    metrics,
    clock,
    random,
    inFlight,
    recorder,
    unheard: discovery.unheard,
    queues: () => callers.queues(),
    usable: () => callers.wake(),
    sharing: crew?.sharing,
  }).catch(async (cause: unknown) => {
    await discovery.close();
    throw cause;
  });
  const { live, snapshots, roster, connections, prober } = open;
  const fleet = () => live.current;
  const given = { version, log, metrics, clock, recorder, open, headTimeoutMs, bodyTimeoutMs };
  const alone = () =>
    openServing(first, {
      ...given,
      snapshots,
      roster,
      connections,
      rediscovery: prober,
      inFlight,
      observer: followRequests({ metrics, recorder, log, fleet }),
      looked: (look) => recorder.looked(look),
      freed: () => live.departures.settle(),
      fleet,
      discovered: open.isDiscovered,
      render: () => metrics.render(open.view()),
      limiter: options.limiter,
      readings: options.readings,
    });
  const callers: Serving = crew?.serve(first, given) ?? (await alone());
  const gossip = crew === undefined ? openGossip(first, { clock, metrics, open }) : undefined;
  metrics.config.loaded('startup', 'applied', hash);

  async function applyWhole(next: Fleet, { allowEmpty = false }: Partial<ApplyOptions> = {}): Promise<Applied> {
    if (crew !== undefined && next.backends.length > mostBackends) return tooMany;
    const { level } = live.current.logging;
    const applied = await live.apply(next, { allowEmpty });
    if (applied.result === 'refused') return applied;
    open.placement.configure(next.routing.leastCost);
    callers.apply(next);
    admin.apply(next);
    if (next.logging.level !== level) log.level = next.logging.level;
    await callers.caughtUp();
    return applied;
  }
  const apply: Service['apply'] = (next, how = {}) => discovery.apply(next, how, applyWhole);
  const drain: Service['drain'] = (backend, draining) => open.drain(backend, draining);
  const { load = () => ({ fleet: discovery.file, hash, warnings: [] }) } = options;
  const reloader = createReload({
    load,
    peek: options.peek ?? load,
    apply,
    log,
    metrics: metrics.config,
    clock,
    current: () => discovery.file,
    first: { fleet: first, hash },
  });
  const release = async () => {
    gossip?.stop();
    // Together: what is being applied waits for backends until the fleet is closed.
    await Promise.all([discovery.close(), open.close()]);
    await callers.release();
  };
  const address = await callers.listen().catch(async (cause: unknown) => {
    await release();
    throw cause;
  });
  const { source = '' } = options;
  const file = () => discovery.file;
  const reads = openReads({ version, source, recorder, open, file, inFlight, serving: callers, reloader });
  const admin = await openAdmin(first.admin, {
    operations: { ...callers.operations, details: () => reads.details() },
    reads,
    clock,
    log,
    certificates: metrics.certificates,
    fleet,
    actions: { reload: (how) => reloader.reload('api', how), drain },
  }).catch(async (cause: unknown) => {
    callers.abandon();
    await release();
    throw cause;
  });
  open.start();
  callers.start();
  gossip?.start();
  discovery.start(applyWhole);

  return {
    address,
    discovered: open.discovered.then(() => callers.caughtUp()),
    ...(crew === undefined ? {} : { killWorker: (worker: number) => crew.kill(worker) }),
    adminAddress: admin.address,
    get fleet() {
      return live.current;
    },
    get states() {
      return live.active.map((backend) => roster.of(backend));
    },
    apply,
    reload: reloader.reload,
    mayPass: reloader.mayPass,
    drain,
    counts: () => open.counts(),
    models: (backend) =>
      [...snapshots.current().targets.values()]
        .filter(({ candidates }) => candidates.some((one) => one.backend.name === backend))
        .map(({ model }) => model.name),
    held: () => ({
      ...callers.held(),
      inFlight: [...roster.all()].reduce((sum, { index }) => sum + inFlight.read(index), 0),
    }),
    async stop(how = { delayMs: 0, timeoutMs: 0 }) {
      await callers.drain(how);
      await release();
      await admin.close();
    },
  };
}

const tooMany: Applied = {
  result: 'refused',
  problem: `there would be more than ${mostBackends} backends, which only one thread serves: restart with server.workers: 1`,
  passing: false,
};
