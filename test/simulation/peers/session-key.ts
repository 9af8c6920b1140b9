// What a session is known by: the header where requests carry one, else the first block that is not the system prompt. That is
// generous: with a header missing the published rules fall back to no affinity, or take the first 100 characters.
import type { Trace, TraceRequest } from '../trace/trace.ts';

const systemShare = 0.02;

export function sessionKeys(trace: Trace, headers: boolean): (request: TraceRequest) => string {
  const uses = new Uint32Array(trace.chains);
  for (const { chain } of trace.requests) for (const name of chain) uses[name] = (uses[name] ?? 0) + 1;
  const most = Math.max(20, trace.requests.length * systemShare);
  return ({ chain, conversation, index }) => {
    if (headers && conversation !== undefined) return conversation;
    const first = chain.find((name) => (uses[name] ?? 0) <= most);
    return first === undefined ? `only ${index}` : `block ${first}`;
  };
}
