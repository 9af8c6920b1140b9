// The backends of a FleetReport, from what is known about each at this moment.
import { boundOf } from '../../admission/bound.ts';
import { adminStateOf } from '../../fleet/backend-state.ts';
import type { CircuitState } from '../../fleet/circuit.ts';
import type { BackendReport } from '../../fleet/report.ts';
import { reportedLoad } from '../../fleet/signals.ts';
import type { BackendView, FleetView } from '../../metrics/fleet-gauges.ts';
import type { BackendRecords } from './backend-records.ts';
import type { WallTime } from './wall-time.ts';

export interface BackendReportParts {
  readonly view: FleetView;
  readonly records: BackendRecords;
  readonly wallTime: WallTime;
}

export function reportBackends({ view, records, wallTime }: BackendReportParts): readonly BackendReport[] {
  const models = modelsByBackend(view);
  return view.backends.map(({ backend, state, inFlight }) => {
    const { name } = backend;
    const record = records.of(name);
    const load = reportedLoad(state.signals, view.nowMs);
    const bound = boundOf(backend, state);
    const circuit = worst([...state.members.values()].map((member) => member.circuit.state));
    const [p50, p95] = record.firstTokens.quantiles([0.5, 0.95], view.nowMs);
    const adminState = adminStateOf(backend, state);
    const { health } = state;
    const { stalled } = state.silence;
    const { lastChange } = record;
    return {
      name,
      engine: state.engine ?? backend.engine,
      url: backend.url ?? null,
      weight: backend.weight,
      state: inOneWord({ adminState, health, circuit, stalled }),
      admin_state: adminState,
      health,
      circuit,
      stalled,
      in_flight: inFlight,
      max_in_flight: bound === Infinity ? null : bound,
      running: load?.running ?? null,
      waiting: load?.waiting ?? null,
      kv_cache: load?.kvUsage ?? null,
      ttft_p50_ms: p50 ?? null,
      ttft_p95_ms: p95 ?? null,
      attempts: record.attempts,
      failed: record.failed,
      models: models.get(name) ?? [],
      problem: adminState === 'disabled' ? null : records.problemOf(name, view.nowMs),
      last_change: lastChange === undefined ? null : { at: wallTime(lastChange.atMs), what: lastChange.what },
    };
  });
}

function modelsByBackend({ models }: FleetView): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [model, { candidates }] of models)
    for (const { backend } of candidates) {
      const known = found.get(backend.name);
      if (known === undefined) found.set(backend.name, [model]);
      else known.push(model);
    }
  return found;
}

const severity = { closed: 0, half_open: 1, open: 2 } as const satisfies Record<CircuitState, number>;

function worst(states: readonly CircuitState[]): CircuitState {
  return states.reduce((a, b) => (severity[b] > severity[a] ? b : a), 'closed');
}

interface Condition {
  readonly adminState: BackendReport['admin_state'];
  readonly health: BackendView['state']['health'];
  readonly circuit: CircuitState;
  readonly stalled: boolean;
}

/** What people have decided comes before what was found out: a box that is drained may well be down. */
function inOneWord({ adminState, health, circuit, stalled }: Condition): string {
  if (adminState !== 'enabled') return adminState;
  if (health !== 'up') return health;
  if (circuit !== 'closed') return 'ejected';
  return stalled ? 'stalled' : 'up';
}
