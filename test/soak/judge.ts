// What must hold at the end of a soak.
import { setTimeout } from 'node:timers/promises';
import { kinds, type Outcome } from './call.ts';
import type { FaultLog } from './faults.ts';
import type { Load } from './load.ts';
import type { Metrics, SoakRouter, Vitals } from './router.ts';
import { say, type Verdict } from './verdict.ts';

/** What a run leaves behind to be judged. */
export interface Run {
  readonly load: Load;
  readonly faults: FaultLog;
  readonly router: SoakRouter;
  readonly before: Vitals;
  readonly after: Vitals;
  /** Requests beside the load, all of which ended well. */
  readonly measured: number;
}

/** A tenth, or so much: young programs compile as they go, and a probe may be under way. */
const slack = { heapBytes: 3 * 2 ** 20, descriptors: 6, held: 6 };
const fewestFaults = 8;
const endpoints = ['chat-completions', 'embeddings'];

export async function judge(run: Run, verdict: Verdict): Promise<void> {
  const { load, faults, router } = run;
  const held = await heldAtRest(router);
  const metrics = await router.metrics();
  report(run, metrics);
  const of = (ending: Outcome['ending']) => load.failures.filter((failure) => failure.ending === ending);

  verdict.check('no piece lost, doubled, out of order or changed', of('wrong').length === 0, listed(of('wrong')));
  verdict.check('every request ended once', load.sent === load.ended, `${load.sent} sent, ${load.ended} ended`);
  const counted = endpoints.reduce(
    (sum, name) => sum + metrics.sum('switchyard_requests_total', `endpoint="${name}"`),
    0,
  );
  const asked = load.sent + run.measured;
  verdict.check('the router counted every request once', counted === asked, `${counted} of ${asked}`);
  const differing = differences(run, metrics);
  verdict.check('the router says of each how it ended', differing.length === 0, differing.join(', '));
  verdict.check('no request failed before its answer began', of('refused').length === 0, listed(of('refused')));
  const unexplained = of('broken').filter((outcome) => !faults.explains(outcome));
  const broken = `${of('broken').length} broken, each said so`;
  verdict.check('answers broke only where their backend had', unexplained.length === 0, listed(unexplained) || broken);
  const happened = new Set(faults.names);
  verdict.check(
    'faults happened',
    faults.names.length >= fewestFaults,
    `${faults.names.length} of ${happened.size} kinds`,
  );
  const missing = kinds.filter((kind) => (load.counts.get(`${kind} whole`) ?? 0) === 0);
  const moments = Object.values(load.hangUps).every((count) => count > 0);
  const queued = leftWaiting(metrics);
  verdict.check(
    'every kind of request and of hang-up occurred',
    missing.length === 0 && moments && queued > 0,
    missing.join(),
  );
  verdict.check('nothing is in flight and nobody waits', held === 0, `${held} held`);
  compare(run, 'heapBytes', 'the heap', verdict);
  compare(run, 'descriptors', 'open descriptors', verdict);
  compare(run, 'held', 'handles and timers', verdict);
  const { running, stderr } = router.process;
  verdict.check(
    'the router still runs and nothing went unhandled',
    running && !/unhandled|uncaught|\(node:\d+\)/i.test(stderr),
  );
}

/** Requests and places in queues that the router still counts once it has had time to let go of them. */
async function heldAtRest(router: SoakRouter): Promise<number> {
  const names = ['switchyard_requests_inflight', 'switchyard_backend_inflight_requests', 'switchyard_queue_length'];
  let held = Infinity;
  for (let n = 0; n < 50 && held > 0; n++) {
    const metrics = await router.metrics();
    held = names.reduce((sum, name) => sum + metrics.sum(name), 0);
    await setTimeout(100);
  }
  return held;
}

/**
 * Where the router's counts and the callers' can't both be right. Whoever hung up does not know what the router had got to
 * by then, and a backend's own error has a name of its own, so those may be counted as anything.
 */
function differences({ load, measured }: Run, metrics: Metrics): readonly string[] {
  const unknown = load.count('left') + load.count('wrong') + load.count('refused');
  const told = new Map([['ok', load.count('whole') + measured]]);
  for (const { ending, detail } of load.failures)
    if (ending === 'broken') told.set(detail, (told.get(detail) ?? 0) + 1);
  const counted = metrics.by('switchyard_requests_total', 'outcome');
  return [...new Set([...told.keys(), ...counted.keys()])].flatMap((outcome) => {
    const [here, there] = [told.get(outcome) ?? 0, counted.get(outcome) ?? 0];
    return there >= here && there <= here + unknown ? [] : [`${outcome}: ${there} counted, callers saw ${here}`];
  });
}

/** Callers that hung up before there was an attempt. */
function leftWaiting(metrics: Metrics): number {
  const attempts = metrics.sum('switchyard_upstream_attempts_total', 'result="client_closed"');
  return metrics.sum('switchyard_requests_total', 'outcome="client_closed"') - attempts;
}

function compare({ before, after }: Run, what: keyof typeof slack, name: string, verdict: Verdict): void {
  const most = Math.max(before[what] * 1.1, before[what] + slack[what]);
  const written = what === 'heapBytes' ? mebibytes : String;
  const detail = `${written(before[what])} at a tenth of the run, ${written(after[what])} at its end`;
  verdict.check(`${name}: back within a tenth or ${written(slack[what])}`, after[what] <= most, detail);
}

function report({ load, before, after }: Run, metrics: Metrics): void {
  const counts = [...load.counts].toSorted(([a], [b]) => a.localeCompare(b)).map(([key, count]) => `${key} ${count}`);
  say(`requests: ${counts.join(', ')}`);
  say(`hang-ups: ${list(Object.entries(load.hangUps))}`);
  say(`outcomes: ${list(metrics.by('switchyard_requests_total', 'outcome'))}`);
  say(`attempts: ${list(metrics.by('switchyard_upstream_attempts_total', 'result'))}`);
  const waits = metrics.sum('switchyard_queue_wait_seconds_count');
  say(
    `waited: ${waits}, of whom ${leftWaiting(metrics)} hung up; second tries: ${metrics.sum('switchyard_upstream_attempts_total', 'attempt="retry"')}`,
  );
  say(
    `held at a tenth of the run: ${JSON.stringify(before.heldByKind)}, at its end: ${JSON.stringify(after.heldByKind)}`,
  );
}

function list(counts: Iterable<readonly [string, number]>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

/** The first few; empty: none. */
function listed(outcomes: readonly Outcome[]): string {
  const texts = outcomes.slice(0, 5).map(({ plan, backend, status, pieces, detail, startedMs, endedMs }) => {
    const seconds = ((endedMs - startedMs) / 1000).toFixed(1);
    return `${plan.kind} ${plan.wish.request} at ${backend ?? 'none'}, ${status}, ${pieces} pieces, ${seconds} s: ${detail}`;
  });
  return outcomes.length > 5 ? `${outcomes.length}: ${texts.join('; ')} …` : texts.join('; ');
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
