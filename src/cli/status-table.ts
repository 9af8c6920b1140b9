// What `status` shows of a fleet: a row for each backend, and a line for whatever needs a look. Pure.
import type { BackendReport, FleetReport } from '../fleet/report.ts';
import { ago } from './ago.ts';
import type { Paint, Tone } from './colours.ts';
import { columns } from './columns.ts';

const header = ['BACKEND', 'ENGINE', 'STATE', 'INFLIGHT', 'WAITING', 'KV', 'TTFT p95', 'LAST CHANGE'];

/** `nowMs`: on the router's clock. */
export function statusLines(report: FleetReport, nowMs: number, paint: Paint): readonly string[] {
  const rows = report.backends.map((backend) => rowOf(backend, nowMs, paint));
  const notes = [...phaseNote(report), ...report.attention, ...refusedLines(report), ...problems(report)];
  return [
    ...columns([header.map((title) => paint('strong', title)), ...rows]),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => paint('doubtful', note))]),
  ];
}

/** Whether anything needs a look: what a script that calls `status` wants to know. */
export function isDegraded({ phase, attention, config, backends }: FleetReport): boolean {
  if (phase !== 'ready' || attention.length > 0 || config.refused) return true;
  return backends.some(({ admin_state, state }) => admin_state === 'enabled' && state !== 'up');
}

function rowOf(backend: BackendReport, nowMs: number, paint: Paint): readonly string[] {
  const { name, engine, state, in_flight, max_in_flight, waiting, kv_cache, ttft_p95_ms, last_change } = backend;
  return [
    name,
    engine,
    paint(toneOf(backend), state),
    max_in_flight === null ? `${in_flight}` : `${in_flight}/${max_in_flight}`,
    waiting === null ? '-' : `${waiting}`,
    kv_cache === null ? '-' : `${Math.round(kv_cache * 100)}%`,
    ttft_p95_ms === null ? '-' : duration(ttft_p95_ms),
    last_change === null ? '-' : ago(last_change.at, nowMs),
  ];
}

export function toneOf({ admin_state, state, health }: BackendReport): Tone {
  if (admin_state !== 'enabled') return 'quiet';
  if (state === 'up') return 'good';
  return state === 'down' || health === 'down' || health === 'misconfigured' ? 'bad' : 'doubtful';
}

function duration(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function phaseNote({ phase }: FleetReport): readonly string[] {
  return phase === 'ready' ? [] : [`The router is ${phase}.`];
}

/** The lines of `check`, as the router has them. */
function refusedLines({ config: { refused } }: FleetReport): readonly string[] {
  return refused ? refused.problems.map((line) => `  ${line}`) : [];
}

function problems({ backends }: FleetReport): readonly string[] {
  return backends.flatMap(({ name, state, problem }) => (problem === null ? [] : [`${name} is ${state}: ${problem}`]));
}
