import { describe, expect, it } from 'vitest';
import type { Cost } from '../../../src/access/limiter.ts';
import { ungranted } from '../../../src/access/verdicts.ts';
import { type ErrorCode, errorTable, GatewayError } from '../../../src/errors.ts';
import { Exchange, type InferenceRequest } from '../../../src/routing/exchange.ts';
import type { ExchangeSettled } from '../../../src/routing/ports.ts';
import { settle } from '../../../src/routing/settle.ts';
import { aCaller } from '../../support/a-fleet.ts';
import { aRequest } from '../../support/a-request.ts';
import { aRoster } from '../../support/a-roster.ts';
import { fakeClock } from '../../support/fake-clock.ts';

type State = Partial<
  Pick<Exchange, 'answered' | 'attempts' | 'stream' | 'usage' | 'contentEvents' | 'error' | 'model'>
>;

const estimated = { inputTokens: 40, outputTokens: 256 };

/** What a settlement books: the cost, `refunded`, or nothing. */
function settled(state: State, fields: Partial<InferenceRequest> = {}) {
  const clock = fakeClock();
  const roster = aRoster();
  const request = aRequest({ stream: true, textBytes: 1_000, totalTextBytes: 1_000, ...fields });
  const booked: (Cost | 'refunded')[] = [];
  const grant = {
    ...ungranted,
    settle: (actual: Cost) => void booked.push(actual),
    refund: () => void booked.push('refunded'),
  };
  const exchange = Object.assign(new Exchange('id', request.endpoint, aCaller(), clock.now()), {
    cost: estimated,
    grant,
    model: 'm',
    stream: true,
    ...state,
  });
  const events: ExchangeSettled[] = [];
  clock.advance(70);
  settle(
    { roster, clock, observer: { attempted: () => {}, letGo: () => {}, settled: (event) => events.push(event) } },
    exchange,
    request,
  );
  const estimates = roster.estimates('m');
  return { booked, events, exchange, learnt: { input: estimates.inputOf(4_000), output: estimates.output() } };
}

const failed = (code: ErrorCode) => new GatewayError(code, 'x');

describe('an answer', () => {
  it('costs what its backend reports', () => {
    const usage = { inputTokens: 7, outputTokens: 9 };
    expect(settled({ answered: true, usage, contentEvents: 3 }).booked).toEqual([usage]);
  });

  it('costs what it reports also where that is nothing', () => {
    const usage = { inputTokens: 7, outputTokens: 0 };
    expect(settled({ answered: true, usage, contentEvents: 3 }).booked).toEqual([usage]);
  });

  it('that is no stream and reports nothing costs what such answers usually do, or the bound where that is less', () => {
    const bounded = Object.assign({ answered: true, stream: false }, { cost: { inputTokens: 40, outputTokens: 9 } });
    expect(settled({ answered: true, stream: false }).booked).toEqual([estimated]);
    expect(settled(bounded).booked).toEqual([{ inputTokens: 40, outputTokens: 9 }]);
  });

  it('without a report costs the estimated input and one token for each event of content', () => {
    expect(settled({ answered: true, contentEvents: 12 }).booked).toEqual([{ inputTokens: 40, outputTokens: 12 }]);
  });
});

describe('a stream that broke off', () => {
  const error = failed('backend_broken');
  it.each([
    ['no report', undefined, { inputTokens: 40, outputTokens: 12 }],
    ['zeros in every event', { inputTokens: 0, outputTokens: 0 }, { inputTokens: 40, outputTokens: 12 }],
    ['what there was so far', { inputTokens: 7, outputTokens: 15 }, { inputTokens: 7, outputTokens: 15 }],
    ['less than what has left', { inputTokens: 7, outputTokens: 1 }, { inputTokens: 7, outputTokens: 12 }],
  ])('costs what has left, or more where the backend says so: %s', (_name, usage, cost) => {
    expect(settled({ answered: true, usage, contentEvents: 12, error }).booked).toEqual([cost]);
  });

  it('because the caller hung up costs the same', () => {
    const state = { answered: true, contentEvents: 5, error: failed('client_closed') };
    expect(settled(state).booked).toEqual([{ inputTokens: 40, outputTokens: 5 }]);
  });
});

describe('a request without an answer', () => {
  const refused: readonly string[] = ['backend_rejected', 'backend_unsuited'];
  const codes = Object.keys(errorTable) as ErrorCode[];

  it.each(codes.filter((code) => refused.includes(code)))(
    'that its backend refused counts, but no tokens: %s',
    (code) => {
      expect(settled({ error: failed(code) }).booked).toEqual([{ inputTokens: 0, outputTokens: 0 }]);
    },
  );

  it.each(codes.filter((code) => !refused.includes(code)))('costs nothing at all: %s', (code) => {
    expect(settled({ error: failed(code) }).booked).toEqual(['refunded']);
  });
});

describe('a caller that hangs up before anything has left', () => {
  const error = failed('client_closed');

  it('pays for what a backend was asked to do: it may have done it', () => {
    expect(settled({ error, attempts: 1 }).booked).toEqual([{ inputTokens: 40, outputTokens: 0 }]);
    expect(settled({ error, attempts: 1, stream: false }).booked).toEqual([estimated]);
  });

  it('pays nothing when no backend was asked', () => {
    expect(settled({ error, attempts: 0 }).booked).toEqual(['refunded']);
  });
});

describe('the end of an exchange', () => {
  it('is told to who watches, once, after it was booked', () => {
    const usage = { inputTokens: 7, outputTokens: 9 };
    const { events, exchange } = settled({ answered: true, usage, contentEvents: 3 });
    expect(exchange.settled).toBe(true);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ requestId: 'id', outcome: 'ok', durationMs: 70, usage, contentEvents: 3 });
  });

  it('needs no grant: a request may be refused before it has one', () => {
    const { events } = settled({ error: failed('rate_limit_exceeded') });
    expect(events).toMatchObject([{ outcome: 'rate_limit_exceeded' }]);
  });
});

describe('what is learnt from a report', () => {
  const usage = { inputTokens: 500, outputTokens: 1_256 };
  const known = { answered: true, usage };
  const unlearnt = { input: 1_000, output: 256 };

  it('is how many bytes make a token, and how long answers are', () => {
    expect(settled(known).learnt).toEqual({ input: 1_053, output: 356 });
  });

  it.each([
    ['the bytes of a prompt with images', known, { parts: 1 }, { ...unlearnt, output: 356 }],
    ['the bytes of a completion', known, { endpoint: 'completions' }, { ...unlearnt, output: 356 }],
    ['the length of an answer the caller has bounded', known, { maxTokens: 9_999 }, { ...unlearnt, input: 1_053 }],
    [
      'the length of an answer that broke off',
      { ...known, error: failed('backend_broken') },
      {},
      { ...unlearnt, input: 1_053 },
    ],
    ['anything of embeddings', known, { endpoint: 'embeddings' }, unlearnt],
    ['anything without a report', { answered: true, contentEvents: 9 }, {}, unlearnt],
    ['anything without a known model', { ...known, model: undefined }, {}, unlearnt],
  ] satisfies readonly [string, State, Partial<InferenceRequest>, object][])(
    'is not %s',
    (_name, state, fields, learnt) => {
      expect(settled(state, fields).learnt).toEqual(learnt);
    },
  );
});
