// What a worker runs: the half of a router that serves callers, from a fleet that the main thread owns and watches.
import { sharedLedger } from '../../access/shared-ledger.ts';
import { createLog, describeCause } from '../../log.ts';
import { createMetrics } from '../../metrics/observe.ts';
import { Gossip } from '../../selection/placement/gossip.ts';
import { type Link, openLink } from '../../workers/link.ts';
import { openTable } from '../../workers/memory.ts';
import { sharedCounters } from '../../workers/shared-counters.ts';
import { SharedRooms } from '../../workers/shared-rooms.ts';
import { showHeld } from '../../workers/shared-standing.ts';
import { threadClock } from '../../workers/thread-clock.ts';
import { followRequests } from '../follow-requests.ts';
import { openServing } from '../open-serving.ts';
import { NoteTaker } from '../report/request-notes.ts';
import type { DrainTimes, Serving } from '../serving.ts';
import type { FromWorker, ThreadStart, ToWorker } from './messages.ts';
import { MirroredFleet } from './mirrored-fleet.ts';
import { Outbox } from './outbox.ts';
import { createReporter } from './reporter.ts';
import { roomOfWorker } from './rooms-of-worker.ts';

const tickMs = 50;

const link = openLink() as Link<ThreadStart, ToWorker, FromWorker>; // started by crew.ts
const { worker, memory, originMs, version, listen, first, now, members, limits, letters } = link.data;
const { tell } = link;
const clock = threadClock(originMs);
const log = createLog(now.fleet.logging, link.data.isTerminal);
const metrics = createMetrics({ version, revision: '', settings: first.metrics, isPart: true });
const table = openTable(memory);
const inFlight = sharedCounters(table, worker);
const notes = new NoteTaker(clock, inFlight);
const outbox = new Outbox({ notes: () => notes.take(), send: (batch) => tell({ kind: 'batch', batch }) });
const fleet = new MirroredFleet(now, {
  worker,
  table,
  clock,
  random: Math.random,
  inFlight,
  outbox,
  tell,
  usable: () => self.serving?.wake(),
});
fleet.placement.cutOff = letters.cutOff;
const gossip = new Gossip({
  id: letters.id,
  clock,
  placement: fleet.placement,
  backends: () => fleet.roll(),
  isOn: () => fleet.fleet.routing.policy === 'least-cost',
  send: (letter) => tell({ kind: 'letter', letter }),
  inTouch: metrics.watchRouters(),
});
for (const news of members) fleet.learn(news);
const rooms = new SharedRooms(table, (other) => tell({ kind: 'turn', worker: other }));
const room = roomOfWorker({ worker, rooms, clock, numberOf: (model) => fleet.models.get(model) });
const reporter = createReporter({ fleet, metrics, clock, tell });
/** What serves, once it is there. */
const self: { serving?: Serving } = {};
let cancelTick = () => {};

link.hear((message) => {
  switch (message.kind) {
    case 'fleet':
      fleet.apply(message.news);
      if (message.news.fleet !== undefined) {
        self.serving?.apply(message.news.fleet);
        if (message.news.fleet.logging.level !== log.level) log.level = message.news.fleet.logging.level;
      }
      if (message.news.wake || message.news.fleet !== undefined) self.serving?.wake();
      return tell({ kind: 'applied', version: message.news.version });
    case 'member':
      fleet.learn(message.news);
      return self.serving?.wake();
    case 'turn':
      return room.turn();
    case 'letter':
      return gossip.heard(message.letter);
    case 'cut-off':
      fleet.placement.cutOff = message.cutOff;
      return;
    case 'heard':
      return fleet.heard(message.backend, message.atMs);
    case 'cut':
      return void fleet.cut(message.backend);
    case 'left':
      if (message.name !== undefined) metrics.forgetBackend(message.name);
      return void fleet.forget(message.backend);
    case 'report':
      return void reporter.report(message.question);
    case 'rendered':
      return reporter.rendered(message);
    case 'drain':
      return void drain(message.how);
    default:
      return message satisfies never;
  }
});

const opened = await openServing(
  { ...first, server: { ...first.server, listen } },
  {
    version,
    log,
    metrics,
    clock,
    snapshots: fleet.snapshots,
    roster: fleet.roster,
    connections: fleet.connections,
    rediscovery: { refresh: (name) => tell({ kind: 'refresh', name }) },
    inFlight,
    observer: followRequests({ metrics, recorder: notes, log, fleet: () => fleet.fleet }),
    looked: (look) => notes.looked(look),
    freed: ({ state }) => void (state.retired && tell({ kind: 'freed' })),
    fleet: () => fleet.fleet,
    discovered: () => fleet.isDiscovered,
    render: () => reporter.render(),
    limiter: undefined,
    headTimeoutMs: link.data.headTimeoutMs,
    bodyTimeoutMs: link.data.bodyTimeoutMs,
    readings: undefined,
    thread: {
      threads: memory.workers,
      routerId: link.data.routerId,
      among: room.among,
      limits: {
        shared: { ledger: sharedLedger(limits.memory, { clock, worker }), replica: limits.replica },
        tell: (change) => tell({ kind: 'shared-state', change }),
      },
      learnt(candidate, failed) {
        const news = fleet.newsOf(candidate);
        if (news === undefined) return;
        const failure = failed === undefined ? {} : { failure: failed ? { atMs: clock.now() } : ('none' as const) };
        tell({ kind: 'member', news: { ...news, ...failure } });
      },
    },
  },
);
self.serving = opened;
try {
  const address = await opened.listen();
  opened.apply(fleet.fleet);
  opened.start();
  gossip.start();
  tick();
  tell({ kind: 'listening', address });
} catch (cause) {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  tell({ kind: 'failed', code, message: cause instanceof Error ? cause.message : describeCause(cause) });
  link.close();
}

function tick(): void {
  showHeld(table, worker, opened.held());
  if (outbox.flush()) reporter.somethingHappened();
  reporter.reportWhenDue();
  cancelTick = clock.after(tickMs, tick);
}

async function drain(how: DrainTimes): Promise<void> {
  // It has only just been started, and serves nobody yet. Ends this thread alone.
  if (self.serving === undefined) process.exit(0);
  await opened.drain(how);
  gossip.stop();
  room.stop();
  cancelTick();
  fleet.roster.close();
  await fleet.connections.close();
  await opened.release();
  outbox.flush();
  showHeld(table, worker, opened.held());
  await reporter.report(undefined);
  link.close();
}
