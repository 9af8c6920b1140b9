// One attempt with nothing real around it: an upstream that is told what to do, a caller that remembers what it got.
import { PanicWatch } from '../../src/selection/panic.ts';
import { createSlots } from '../../src/admission/slots.ts';
import { plainCounters } from '../../src/admission/counters.ts';
import type { GatewayError } from '../../src/errors.ts';
import { attempt } from '../../src/routing/attempt.ts';
import { Exchange } from '../../src/routing/exchange.ts';
import type { AttemptEnded, Reply, Sink, UpstreamHandler } from '../../src/routing/ports.ts';
import { leastConnections } from '../../src/selection/policies/least-connections.ts';
import { aRequest } from './a-request.ts';
import { aCaller, timeouts } from './a-fleet.ts';
import { aCandidate } from './candidates.ts';
import { fakeClock } from './fake-clock.ts';

export class FakeCaller implements Reply, Sink {
  readonly #gone = new AbortController();
  readonly gone = this.#gone.signal;
  status: number | undefined = undefined;
  text = '';
  ending: 'open' | 'ended' | 'broken' = 'open';
  /** When true, every write says that there is no room; `drain` makes room. */
  isSlow = false;
  brokenBy: GatewayError | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #opened = false;

  get committed(): boolean {
    return this.status !== undefined;
  }

  hangUp(): void {
    this.#gone.abort();
  }

  get opened(): boolean {
    return this.#opened;
  }

  open(): void {
    this.#opened = true;
  }

  comment(text: string): void {
    this.text += `: ${text}\n\n`;
  }

  begin(status: number): Sink {
    this.status = status;
    return this;
  }

  write(bytes: Buffer): boolean {
    this.text += bytes.toString();
    return !this.isSlow;
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  drain(): void {
    this.#resume?.();
  }

  end(last?: Buffer): void {
    if (last !== undefined) this.text += last.toString();
    this.ending = 'ended';
  }

  fail(error: GatewayError): void {
    if (!(this.committed || this.#opened) || this.ending !== 'open') return;
    this.brokenBy = error;
    this.ending = 'broken';
  }
}

/** Starts an attempt; what the backend does is up to the test. */
export function startAttempt(wishes: { readonly stream?: boolean; readonly totalMs?: number } = {}) {
  const clock = fakeClock();
  const caller = new FakeCaller();
  const candidate = aCandidate({ name: 'b' });
  const ended: AttemptEnded[] = [];
  const letGo: number[] = [];
  const upstream = { aborted: 0, paused: false, handler: undefined as UpstreamHandler | undefined, closed: () => {} };
  const slot = createSlots(plainCounters()).claim([candidate], clock.now());
  if (slot === undefined) throw new Error('no slot');
  const request = aRequest({ stream: wishes.stream ?? true, needs: ['chat-completions'] });
  const exchange = new Exchange('id', 'chat-completions', aCaller(), clock.now());
  const policy = leastConnections({ clock, inFlight: plainCounters(), random: () => 0 });
  const target = {
    model: { name: 'm', aliases: [], members: [] },
    candidates: [candidate],
    panic: new PanicWatch(),
    policy,
    totalMs: wishes.totalMs ?? timeouts.totalMs,
    queue: { maxLength: 0, maxWaitMs: 0, comments: false },
    panicRatio: 0.5,
    fallbacks: () => [],
    continuation: false,
  };
  exchange.begin(target, request, {
    cost: { inputTokens: 0, outputTokens: 0 },
    contextTokens: 0,
    answerTokens: 0,
    nowMs: clock.now(),
  });
  const parts = {
    clock,
    observer: {
      attempted: (event: AttemptEnded) => ended.push(event),
      letGo: (afterMs: number) => letGo.push(afterMs),
      settled: () => {},
    },
    rediscovery: { refresh: () => {} },
    upstream: {
      send(_backend: unknown, _request: unknown, handler: UpstreamHandler) {
        upstream.handler = handler;
        return {
          abort: (closed = () => {}) => {
            upstream.aborted++;
            upstream.closed = closed;
          },
          pause: () => {
            upstream.paused = true;
          },
          resume: () => {
            upstream.paused = false;
          },
        };
      },
    },
  };
  const delivery = { exchange, request, target, reply: caller };
  const outcome = attempt(parts, delivery, slot).then(
    () => 'ok',
    (error: GatewayError) => {
      caller.fail(error);
      return error.code;
    },
  );
  const { handler } = upstream;
  if (handler === undefined) throw new Error('nothing was sent');
  return { clock, caller, exchange, ended, letGo, upstream, handler, outcome };
}
