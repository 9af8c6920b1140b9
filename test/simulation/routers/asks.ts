// Requests of a trace as production policies see them: bodies read by the production endpoint, fingerprints by the production
// code. Both depend on the body alone, so each is worked out once for all routers, policies and rates of a process and kept;
// the bytes are not, and are made again where somebody asks for them.
import { chatCompletions } from '../../../src/endpoints/chat-completions.ts';
import type { InferenceFields } from '../../../src/endpoints/endpoint.ts';
import type { TokenEstimates } from '../../../src/fleet/token-estimates.ts';
import { jobOf } from '../../../src/selection/placement/job.ts';
import type { Job } from '../../../src/selection/placement/placement.ts';
import type { Ask } from '../../../src/selection/policy.ts';
import { Bodies } from '../trace/bodies.ts';
import type { Trace, TraceRequest } from '../trace/trace.ts';

export const model = 'm';
const everybody = 't';

interface Read {
  readonly fields: InferenceFields;
  readonly job: Job;
}

const known = new Map<string, Asks>();

export interface AskWishes {
  /** Whether bodies name their conversation. */
  readonly sessions: boolean;
}

export class Asks {
  readonly #bodies: Bodies;
  readonly #read: Read[] = [];

  constructor(trace: Trace, wishes: AskWishes) {
    this.#bodies = new Bodies(trace, wishes);
  }

  of(request: TraceRequest, estimates: TokenEstimates): Ask {
    const { fields, job } = this.#readOf(request);
    const tenant = request.tenant ?? everybody;
    const promptTokens = estimates.inputOf(fields.totalTextBytes);
    const answerTokens = estimates.answerTo(tenant);
    const bodies = this.#bodies;
    return {
      tenant,
      fields,
      get body() {
        return bodies.of(request);
      },
      promptTokens,
      answerTokens,
      jobs: new Map([[model, { ...job, promptTokens, answerTokens }]]),
    };
  }

  #readOf(request: TraceRequest): Read {
    const before = this.#read[request.index];
    if (before !== undefined) return before;
    const body = this.#bodies.of(request);
    const fields = chatCompletions.read(body);
    const tenant = request.tenant ?? everybody;
    const job = jobOf({ tenant, fields, body, promptTokens: 0, answerTokens: 0 }, model);
    const read = { fields, job };
    this.#read[request.index] = read;
    return read;
  }
}

/** Shared by all traces with the same prompts, whenever they arrive. */
export function asksOf(trace: Trace, wishes: AskWishes): Asks {
  const key = `${trace.name} ${trace.sha256} ${trace.requests.length} ${wishes.sessions}`;
  const asks = known.get(key) ?? new Asks(trace, wishes);
  known.set(key, asks);
  return asks;
}
