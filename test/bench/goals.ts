// What the project has set itself, and whether a run has shown it.
import { nameOf as backendsName } from './benches/backends.ts';
import { nameOf as workersName } from './benches/workers.ts';
import type { Results } from './results.ts';
import { main } from './subjects/switchyard.ts';

export interface Goal {
  readonly what: string;
  /** In words. */
  readonly target: string;
  /** Undefined: it was not measured. */
  readonly measured: string | undefined;
  readonly isMet: boolean | undefined;
}

interface Bound {
  readonly what: string;
  readonly most?: number;
  readonly least?: number;
  readonly unit: string;
  readonly digits?: number;
  readonly value: number | undefined;
}

/** `peers`: names of subjects. */
export function goalsOf(results: Results, peers: readonly string[]): readonly Goal[] {
  const median = (bench: string, key: string, subject = main) => results.median(bench, subject, key);
  const toNginx = (bench: string, key: string, subject = main) => results.ratio(bench, key, [subject, 'nginx']);
  return [
    bound({ what: 'CPU per plain request', most: 6, unit: '× nginx', value: toNginx('plain', 'cpuMicros') }),
    bound({
      what: 'CPU per plain request, limits in Redis',
      most: 8,
      unit: '× nginx',
      value: toNginx('plain', 'cpuMicros', `${main}, Redis`),
    }),
    belowPeers(results, { what: 'CPU per plain request', bench: 'plain', peers }),
    bound({ what: 'CPU per event, 500 streams', most: 1.8, unit: '× nginx', value: toNginx('events', 'cpuMicros') }),
    belowPeers(results, { what: 'CPU per event', bench: 'events', peers }),
    bound({ what: 'added first byte, p50', most: 0.3, unit: 'ms', value: median('first-byte', 'addedP50') }),
    bound({ what: 'added first byte, p99', most: 3, unit: 'ms', value: median('first-byte', 'addedP99') }),
    openStreams(results),
    bound({ what: 'memory of an open stream', most: 60, unit: 'KiB', value: median('open-streams', 'kibibytes') }),
    workers(results),
    bound({
      what: 'CPU per request, 1,000 backends',
      most: 1.15,
      unit: '× of 1 backend',
      value: results.ratio('backends', 'cpuMicros', [backendsName(1_000), backendsName(1)]),
    }),
    bound({
      what: 'a pick of 1,000 backends',
      most: 10,
      unit: 'µs',
      value: median('pick', 'micros', backendsName(1_000)),
    }),
    bound({
      what: 'CPU per byte of a prompt',
      most: 2,
      unit: '× bare Node relay',
      value: results.ratio('body', 'nanosPerByte', [main, 'bare Node relay']),
    }),
    bound({ what: 'start with 100 backends', most: 1_000, unit: 'ms', digits: 0, value: median('start', 'readyMs') }),
    endurance(results),
  ];
}

function bound({ what, most, least, unit, digits = 2, value }: Bound): Goal {
  const target = most === undefined ? `≥ ${least} ${unit}` : `≤ ${most} ${unit}`;
  if (value === undefined) return { what, target, measured: undefined, isMet: undefined };
  const isMet = (most === undefined || value <= most) && (least === undefined || value >= least);
  return { what, target, measured: `${value.toFixed(digits)} ${unit}`, isMet };
}

function belowPeers(
  results: Results,
  { what, bench, peers }: { readonly what: string; readonly bench: string; readonly peers: readonly string[] },
): Goal {
  const target = 'below every peer';
  const own = results.median(bench, main, 'cpuMicros');
  const theirs = peers
    .map((name) => ({ name, micros: results.median(bench, name, 'cpuMicros') }))
    .flatMap(({ name, micros }) => (micros === undefined ? [] : [{ name, micros }]))
    .toSorted((a, b) => a.micros - b.micros);
  const [best] = theirs;
  if (own === undefined || best === undefined) return { what, target, measured: undefined, isMet: undefined };
  const measured = `${own.toFixed(1)} µs; the best of ${theirs.length}, ${best.name}: ${best.micros.toFixed(1)} µs`;
  return { what, target, measured, isMet: own < best.micros };
}

function openStreams(results: Results): Goal {
  const [what, target] = ['10,000 open streams', 'nothing lost'];
  const lost = results.spread('open-streams', main, 'lost')?.most;
  const open = results.median('open-streams', main, 'streams');
  if (lost === undefined || open === undefined) return { what, target, measured: undefined, isMet: undefined };
  const isFull = open >= 10_000;
  const measured = `${open.toFixed(0)} open${isFull ? '' : ' (descriptors allow no more)'}, ${lost} lost or wrong`;
  return { what, target, measured, isMet: lost > 0 ? false : isFull ? true : undefined };
}

function endurance(results: Results): Goal {
  const what = 'heap after 1,000,000 requests, 100,000 hang-ups';
  const value = results.median('endurance', main, 'growth');
  const goal = bound({ what, most: 1.1, unit: '× that at a tenth', digits: 3, value });
  const requests = results.median('endurance', main, 'requests') ?? 0;
  if (goal.measured === undefined || requests >= 1_000_000) return goal;
  return { ...goal, measured: `${goal.measured}, after ${requests} requests`, isMet: undefined };
}

/** By the clock where the machine has cores for load and engine too, else by the CPU that a request takes. */
function workers(results: Results): Goal {
  const ratio = (key: string) => results.ratio('workers', key, [workersName(2), workersName(1)]);
  const [byClock, byCpu] = [ratio('perSecond'), ratio('couldPerSecond')];
  const what = '2 workers against 1';
  const unit = '× requests/s';
  if (byClock === undefined || byCpu === undefined) return bound({ what, least: 1.8, unit, value: undefined });
  const goal = bound({ what, least: 1.8, unit, value: Math.max(byClock, byCpu) });
  const measured = `${byClock.toFixed(2)} × by the clock, ${byCpu.toFixed(2)} × by the CPU each takes`;
  return { ...goal, measured };
}
