// Several threads that serve callers on one port, as the half of a router that they are together.
import { randomUUID } from 'node:crypto';
import { countLimits } from '../../access/limits-of-tenants.ts';
import { abandonWorker, ledgerMemory, sharedLedger } from '../../access/shared-ledger.ts';
import type { Clock } from '../../clock.ts';
import type { Address, Fleet } from '../../fleet/fleet.ts';
import { describeCause, type Logger } from '../../log.ts';
import type { Metrics } from '../../metrics/observe.ts';
import { clearWorker, type SharedMemory, type Table } from '../../workers/memory.ts';
import type { Death, Pool } from '../../workers/pool.ts';
import { SharedRooms } from '../../workers/shared-rooms.ts';
import { readHeld } from '../../workers/shared-standing.ts';
import { openCorrespondence, randomName } from '../open-correspondence.ts';
import type { OpenFleet } from '../open-fleet.ts';
import { createRouterId } from '../open-serving.ts';
import type { Recorder } from '../report/recorder.ts';
import type { Serving } from '../serving.ts';
import { tellSharedState } from '../tell-shared-state.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { Collection } from './collection.ts';
import { LettersOfWorkers } from './letters-of-workers.ts';
import type { FromWorker, ThreadStart, ToWorker } from './messages.ts';
import { PhaseOfDrain } from './phase-of-drain.ts';
import type { SharedFleet } from './shared-fleet.ts';
import { SharedStateOfWorkers } from './shared-state-of-workers.ts';
import { watchStalls } from './stalls.ts';
import { takeBatch } from './take-batch.ts';

export interface ThreadsParts {
  readonly version: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly memory: SharedMemory;
  readonly table: Table;
  readonly pool: Pool<ToWorker, FromWorker>;
  readonly shared: SharedFleet;
  readonly acknowledged: Acknowledgements;
  readonly open: OpenFleet;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
}

export interface Threads extends Serving {
  heard(worker: number, message: FromWorker): void;
  died(worker: number, death: Death): void;
  startOf(worker: number): ThreadStart;
}

/** Beyond the time they have to stop by themselves. */
const graceMs = 3_000;

export function openThreads(first: Fleet, parts: ThreadsParts): Threads {
  const { log, metrics, clock, recorder, memory, table, pool, shared, acknowledged, open } = parts;
  const limits = {
    memory: ledgerMemory({ rules: countLimits(first), workers: table.workers }),
    replica: randomUUID().slice(0, 13),
  };
  const routerId = createRouterId();
  const rooms = new SharedRooms(table, () => {});
  const collection = new Collection(clock, (question) => {
    pool.tellAll({ kind: 'report', question });
    return pool.running;
  });
  const stalls = watchStalls({ table, roster: open.roster, log, recorder, changed: () => shared.wake() });
  const sharedState = new SharedStateOfWorkers((change) => {
    if (first.sharedState !== undefined) tellSharedState(log, first.sharedState, change);
  });
  const name = randomName();
  const others = openCorrespondence(first.sharedState, {
    process: name,
    heard: (letter) => pool.tellAll({ kind: 'letter', letter }),
    cutOff: (cutOff) => pool.tellAll({ kind: 'cut-off', cutOff }),
  });
  const letters = new LettersOfWorkers({
    process: name,
    tellAll: (letter, except) => pool.tellAll({ kind: 'letter', letter }, except),
    publish: (letter) => others?.publish(letter),
  });
  const phase = new PhaseOfDrain(clock);
  const watch = metrics.watchWorkers();
  const serving = new Set<number>();
  const starts = new Map<number, PromiseWithResolvers<Address>>();
  let { listen } = first.server;
  const render = async () => metrics.render(open.view(), await collection.collect());

  function waiting(): number {
    let sum = 0;
    for (const number of shared.models.values()) sum += rooms.waiting(number);
    return sum;
  }

  function started(worker: number, address: Address): void {
    serving.add(worker);
    watch.running(serving.size);
    if (starts.has(worker)) starts.get(worker)?.resolve(address);
    else log.info({ worker }, 'worker serves again');
    starts.delete(worker);
  }

  function start(worker: number): Promise<Address> {
    const starting = Promise.withResolvers<Address>();
    starts.set(worker, starting);
    pool.start(worker);
    return starting.promise;
  }

  return {
    operations: { phase: () => phase.current, discovered: open.isDiscovered, metrics: render },
    levels: sharedLedger(limits.memory, { clock }),
    sharedState: () => first.sharedState && { up: sharedState.isUp, onFailure: first.sharedState.onFailure },
    queues: () => new Map([...shared.models].map(([model, number]) => [model, rooms.waiting(number)])),
    wake: () => shared.wake(),
    async listen() {
      try {
        const address = await start(0);
        // The port is known by now, also where any would do.
        listen = { ...listen, port: address.port };
        await Promise.all(Array.from({ length: table.workers - 1 }, (_, n) => start(n + 1)));
        return address;
      } catch (cause) {
        pool.ending();
        throw cause;
      }
    },
    start() {},
    // It was told with everything else that a reload changes.
    apply() {},
    caughtUp() {
      shared.flush();
      return acknowledged.caughtUp(shared.version);
    },
    held: () => ({ ...readHeld(table), waiting: waiting() }),
    abandon: () => void pool.ended(0),
    async drain(how) {
      phase.begin(how);
      pool.ending();
      pool.tellAll({ kind: 'drain', how });
      const late = await pool.ended(how.timeoutMs + graceMs);
      if (late.length > 0) log.error({ workers: late }, 'workers did not stop in time');
      phase.end();
    },
    async release() {
      await pool.ended(0);
      others?.close();
    },
    startOf: (worker) => ({
      worker,
      memory,
      limits,
      listen,
      first,
      originMs: performance.timeOrigin,
      version: parts.version,
      routerId,
      isTerminal: process.stderr.isTTY,
      headTimeoutMs: parts.headTimeoutMs,
      bodyTimeoutMs: parts.bodyTimeoutMs,
      letters: { id: letters.nameFor(worker), cutOff: others?.cutOff ?? false },
      ...shared.whole(),
    }),
    heard(worker, message) {
      switch (message.kind) {
        case 'listening':
          return started(worker, message.address);
        case 'failed':
          log[starts.has(worker) ? 'debug' : 'error']({ worker, code: message.code }, 'worker cannot listen');
          return starts.get(worker)?.reject(Object.assign(new Error(message.message), { code: message.code }));
        case 'applied':
          acknowledged.heard(worker, message.version);
          return open.live.departures.settle();
        case 'batch':
          return takeBatch({ open, shared, recorder }, message.batch);
        case 'member':
          shared.learn(message.news);
          return pool.tellAll(message, worker);
        case 'turn':
          return pool.tell(message.worker, { kind: 'turn' });
        case 'letter':
          return letters.heard(worker, message.letter);
        case 'stalled':
          return stalls.look(message.backend);
        case 'heard':
          return pool.tellAll(message, worker);
        case 'refresh':
          return open.prober.refresh(message.name);
        case 'freed':
          return open.live.departures.settle();
        case 'report':
          return collection.heard(worker, message.question, message.metrics);
        case 'shared-state':
          return sharedState.heard(worker, message.change);
        case 'render':
          return void render().then((text) =>
            pool.tell(worker, { kind: 'rendered', question: message.question, ...text }),
          );
        default:
          return message satisfies never;
      }
    },
    died(worker, { cause, againMs }) {
      serving.delete(worker);
      watch.died();
      watch.running(serving.size);
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
      log.error({ worker, code, cause: describeCause(cause), again_ms: againMs }, 'a worker has died');
      // At the start of the router it is not tried again.
      starts.get(worker)?.reject(cause ?? new Error('a worker ended before it served'));
      clearWorker(table, worker);
      abandonWorker(limits.memory, worker);
      shared.freeTrials(worker);
      acknowledged.forget(worker);
      collection.died(worker);
      letters.died(worker);
      sharedState.died(worker);
      stalls.lookAtAll();
      open.live.departures.settle();
      // What it held is free.
      shared.wake();
    },
  };
}
