// A trace in the hands of several tenants, and one more tenant who sends far more than its share, with prompts of its own.
import type { Trace, TraceRequest } from './trace.ts';

export interface Flood {
  readonly tenants: number;
  /** As much as each of the others, so many times. */
  readonly times: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export const flooding = 'flood';

export function withFlood(trace: Trace, { tenants, times, random }: Flood): Trace {
  let chains = trace.chains;
  const theirs = trace.requests.map((request) => ({
    ...request,
    tenant: `t${(request.chain[1] ?? request.index) % tenants}`,
  }));
  const extra = Array.from({ length: Math.round((theirs.length / tenants) * times) }, (): TraceRequest => {
    const model = theirs[Math.floor(random() * theirs.length)] ?? theirs[0];
    if (model === undefined) throw new Error('an empty trace can have no flood');
    const atS = theirs[Math.floor(random() * theirs.length)]?.atS ?? 0;
    return { ...model, atS, chain: model.chain.map(() => chains++), tenant: flooding };
  });
  const requests = [...theirs, ...extra].map((request, index) => ({ ...request, index }));
  return { ...trace, name: `${trace.name}, with a flood`, requests, chains };
}
