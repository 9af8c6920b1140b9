// All that there is only where several threads serve, put together: the memory they share, the fleet as they are told of it, and
// the threads themselves.
import { availableParallelism } from 'node:os';
import type { Counters } from '../../admission/counters.ts';
import type { Clock } from '../../clock.ts';
import type { Fleet } from '../../fleet/fleet.ts';
import { whyNotShared } from '../../http/server.ts';
import type { Logger } from '../../log.ts';
import { createMemory, most, openTable } from '../../workers/memory.ts';
import { Pool } from '../../workers/pool.ts';
import { sharedCounters } from '../../workers/shared-counters.ts';
import type { FleetSharing } from '../fleet-sharing.ts';
import type { OpenFleet } from '../open-fleet.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { openThreads, type Threads, type ThreadsParts } from './open-threads.ts';
import { SharedFleet } from './shared-fleet.ts';

type Given = Pick<
  ThreadsParts,
  'version' | 'log' | 'metrics' | 'clock' | 'recorder' | 'open' | 'headTimeoutMs' | 'bodyTimeoutMs'
>;

export interface Crew {
  readonly inFlight: Counters;
  readonly sharing: FleetSharing;
  serve(first: Fleet, given: Given): Threads;
  /** Ends a worker as if it had died; for tests. */
  kill(worker: number): Promise<void>;
}

/** As many backends as there may be before a reload that exchanges every one of them. */
export const mostBackends = most.backends / 2;

/** Undefined: this thread serves alone. */
export async function openCrew(first: Fleet, parts: CrewParts): Promise<Crew | undefined> {
  const { workers } = first.server;
  const wanted = workers === 'auto' ? availableParallelism() : workers;
  if (wanted === 1) return undefined;
  const why =
    first.backends.length > mostBackends
      ? `there are more than ${mostBackends} backends`
      : await whyNotShared(first.server.listen);
  if (why === undefined) return createCrew(wanted, parts);
  parts.log.warn({ workers: 1 }, `one thread serves, and not ${wanted} (server.workers): ${why}`);
  return undefined;
}

interface CrewParts {
  readonly log: Logger;
  readonly clock: Clock;
  /** Groups of backends of which nobody knows yet who is in them. */
  readonly unheard: () => number;
}

function createCrew(workers: number, { clock, unheard }: CrewParts): Crew {
  const memory = createMemory(workers);
  const table = openTable(memory);
  const acknowledged = new Acknowledgements(clock);
  let open: OpenFleet | undefined;
  let threads: Threads | undefined;
  const pool = new Pool<ToWorker, FromWorker>({
    entry: new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url),
    clock,
    data(worker) {
      const start = there(threads).startOf(worker);
      acknowledged.started(worker, start.now.version);
      return start;
    },
    heard: (worker, message) => there(threads).heard(worker, message),
    died: (worker, death) => there(threads).died(worker, death),
  });
  const shared = new SharedFleet({
    table,
    open: () => there(open),
    unheard,
    tellAll: (message) => pool.tellAll(message),
    unaware: () => acknowledged.behind(shared.version),
  });
  return {
    inFlight: sharedCounters(table, undefined),
    sharing: shared,
    serve(first, given) {
      open = given.open;
      threads = openThreads(first, { ...given, memory, table, pool, shared, acknowledged });
      return threads;
    },
    kill: (worker) => pool.kill(worker),
  };
}

function there<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error('the workers are not there yet');
  return part;
}
