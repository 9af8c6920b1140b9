// What would happen to a request that came now. It takes the way of a real one up to the slot, which is only imagined: nothing
// is claimed, no turn is taken and nobody is asked.
import type { Caller } from '../access/keyring.ts';
import type { Counters } from '../admission/counters.ts';
import { imaginedSlots } from '../admission/slots.ts';
import { GatewayError } from '../errors.ts';
import type { EndpointName, FeatureName } from '../fleet/capabilities.ts';
import type { Explanation } from '../fleet/report.ts';
import type { Roster } from '../fleet/roster.ts';
import { claim, type Look } from './claim.ts';
import { Exchange, type InferenceRequest } from './exchange.ts';
import { explain } from './explanation.ts';
import type { Reply } from './ports.ts';
import { estimate, resolve, type Snapshots, type Target } from './snapshot.ts';

/** As much of a request as decides where it goes. */
export interface Question {
  /** Any name a caller may use. */
  readonly model: string;
  readonly endpoint: EndpointName;
  readonly needs: readonly FeatureName[];
  readonly promptBytes: number;
  readonly maxTokens: number | undefined;
  readonly caller: Caller;
}

export interface DryRunParts {
  readonly snapshots: Snapshots;
  readonly roster: Roster;
  readonly inFlight: Counters;
  readonly waiting: (model: string) => number;
  readonly nowMs: number;
}

/** @throws GatewayError as a caller would get it: `forbidden`, `model_not_found`, `no_backend` before discovery, `unsupported` */
export function dryRun(parts: DryRunParts, question: Question): Explanation {
  const { snapshots, roster, inFlight, waiting, nowMs } = parts;
  const request = requestOf(question);
  const target = withoutTurns(resolve(snapshots.current(), { request, caller: question.caller, nowMs }));
  const exchange = new Exchange('dry-run', question.endpoint, question.caller, nowMs);
  const estimates = roster.estimates(target.model.name);
  exchange.begin(target, request, { ...estimate(request, estimates, question.caller.tenant), nowMs });
  const looks: Look[] = [];
  const looked = (look: Look) => void looks.push(look);
  const ahead = waiting(target.model.name);
  const slots = imaginedSlots(inFlight);
  try {
    const slot = claim({ slots, waiting, nowMs, looked }, { exchange, request, target, reply: nobody });
    const own = looks.findLast((look) => look.target.model === target.model);
    const last = slot === undefined ? own : looks.at(-1);
    if (last === undefined) throw new GatewayError('internal', 'A choice was made without a look.');
    const explanation = explain(last, inFlight);
    if (ahead > 0)
      return { ...explanation, winner: null, why: `${counted(ahead)} for it already, and it stands behind.` };
    if (slot === undefined) return { ...explanation, winner: null, why: `${explanation.why} It waits for a slot.` };
    const { standIn } = exchange;
    if (standIn === undefined) return explanation;
    return { ...explanation, why: `${explanation.why} It stands in for ${target.model.name} (${standIn.cause}).` };
  } catch (thrown) {
    const own = looks.findLast((look) => look.target.model === target.model);
    if (own === undefined || !(thrown instanceof GatewayError)) throw thrown;
    return { ...explain(own, inFlight), winner: null, why: thrown.message };
  }
}

function requestOf({ model, endpoint, needs, promptBytes, maxTokens }: Question): InferenceRequest {
  return {
    model,
    endpoint,
    needs: [endpoint, ...needs],
    textBytes: promptBytes,
    totalTextBytes: promptBytes,
    parts: 0,
    answers: 1,
    ...(maxTokens === undefined ? {} : { maxTokens }),
    stream: false,
    includeUsage: false,
    spans: { start: 0, model: { start: 0, end: 0 } },
    headers: [],
    body: Buffer.alloc(0),
  };
}

/** Its fallbacks too. */
function withoutTurns(target: Target): Target {
  const { policy } = target;
  return {
    ...target,
    policy: { ...policy, rank: (candidates, ask) => policy.foresee?.(candidates, ask) ?? policy.rank(candidates, ask) },
    fallbacks: (cause) => target.fallbacks(cause).map(withoutTurns),
  };
}

function counted(waiting: number): string {
  return waiting === 1 ? '1 request waits' : `${waiting} requests wait`;
}

const nobody: Reply = {
  gone: new AbortController().signal,
  committed: false,
  opened: false,
  open: () => {},
  comment: () => {},
  begin: () => {
    throw new Error('a dry run has no answer');
  },
  fail: () => {},
};
