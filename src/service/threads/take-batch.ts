// What workers tell of their requests, put where it belongs: circuits, learnt limits, and the memory of what has happened.
import type { BackendState } from '../../fleet/backend-state.ts';
import type { CircuitNews } from '../../workers/remote-circuit.ts';
import type { OpenFleet } from '../open-fleet.ts';
import type { Recorder } from '../report/recorder.ts';
import type { Batch } from './messages.ts';
import type { SharedFleet } from './shared-fleet.ts';

export interface TakingParts {
  readonly open: OpenFleet;
  readonly shared: SharedFleet;
  readonly recorder: Recorder;
}

export function takeBatch({ open, shared, recorder }: TakingParts, { circuits, limits, notes }: Batch): void {
  for (const news of circuits) bookCircuit(shared, news);
  const states = limits.length === 0 ? new Map<number, BackendState>() : byIndex(open);
  for (const news of limits) {
    const limit = states.get(news.backend)?.limit;
    if ('served' in news) limit?.learn(news.served);
    else limit?.refused(news.asked, news.refusedAtMs);
  }
  if (notes !== undefined) recorder.take(notes);
}

/** Of a circuit that has gone nothing is known any more. */
function bookCircuit(shared: SharedFleet, news: CircuitNews): void {
  const circuit = shared.circuit(news.circuit);
  if (news.what === 'blamed') circuit?.blame();
  else if (news.what === 'confirmed') circuit?.confirm(news.ticket);
  else for (let n = news.times ?? 1; n > 0; n--) circuit?.record(news.what, news.ticket);
}

function byIndex({ roster }: OpenFleet): ReadonlyMap<number, BackendState> {
  return new Map([...roster.all()].map((state) => [state.index, state]));
}
