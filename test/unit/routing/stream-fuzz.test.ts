// A good stream through the relay, cut anywhere: the caller gets the same bytes, in whole events, and the usage and the end
// are found.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt, type Cuts, cutsOf } from '../../support/cuts.ts';
import { startAttempt } from '../../support/fake-delivery.ts';

const chunk = (delta: object, more: object = {}) =>
  JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: null, ...more }] });
const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
const role = chunk({ role: 'assistant', content: '' });
const datas = [
  role,
  chunk({ content: 'naïve "usage" 🦊 ' }),
  chunk({ content: '[DONE]\\n' }),
  chunk({}, { finish_reason: 'stop' }),
  JSON.stringify({ id: 'c', choices: [], usage }),
  '[DONE]',
];

/** Where a caller may have got to: behind any of the events, with or without the second half of a CRLF. */
function boundariesOf(events: readonly string[], lineEnd: string): ReadonlySet<number> {
  const ends = [0];
  for (const event of events) ends.push((ends.at(-1) ?? 0) + Buffer.byteLength(event));
  return new Set(lineEnd === '\r\n' ? ends.flatMap((end) => [end, end - 1]) : ends);
}

/** What the caller got, and what was learnt. @throws Error when it ever had half an event. */
async function relayed(events: readonly string[], lineEnd: string, cuts: Cuts): Promise<object> {
  const boundaries = boundariesOf(events, lineEnd);
  const { handler, caller, exchange, outcome, clock } = startAttempt();
  handler.connected();
  handler.head(200, { 'content-type': 'text/event-stream' });
  for (const piece of cutAt(Buffer.from(events.join('')), cuts)) {
    handler.data(piece);
    if (!boundaries.has(Buffer.byteLength(caller.text)))
      throw new Error(`half an event, cut at ${JSON.stringify(cuts)}`);
  }
  handler.ended();
  const { usage, contentEvents } = exchange;
  return {
    outcome: await outcome,
    ending: caller.ending,
    text: caller.text,
    usage,
    contentEvents,
    timers: clock.waiting,
  };
}

const wholly = (events: readonly string[]) => ({
  outcome: 'ok',
  ending: 'ended',
  text: events.join(''),
  usage: expect.objectContaining({ inputTokens: 5, outputTokens: 2 }),
  contentEvents: 3,
  timers: 0,
});

describe('a relayed stream', () => {
  describe.each(['\n', '\r\n', '\r'])('with line ends %j', (lineEnd) => {
    const events = datas.map((data) => `data: ${data}${lineEnd}${lineEnd}`);

    it('arrives whole wherever it was cut', async () => {
      for (let at = 0; at <= Buffer.byteLength(events.join('')); at++)
        expect(await relayed(events, lineEnd, [at])).toEqual(wholly(events));
    });

    it('arrives whole in any pieces, with comments, a byte order mark and other fields between', async () => {
      const between = fc.array(fc.constantFrom(':', ': data: x', 'event: message', 'id: 1', 'retry: 5'), {
        maxLength: 2,
      });
      const written = fc.tuple(fc.boolean(), fc.array(between, { minLength: datas.length, maxLength: datas.length }));
      await fc.assert(
        fc.asyncProperty(written, cutsOf, async ([hasMark, extras], cuts) => {
          const dressed = events.map((event, n) => (extras[n] ?? []).map((line) => line + lineEnd).join('') + event);
          const sent = [`${hasMark ? '\uFEFF' : ''}${dressed[0]}`, ...dressed.slice(1)];
          expect(await relayed(sent, lineEnd, cuts)).toEqual(wholly(sent));
        }),
        { numRuns: 150 },
      );
    });
  });
});
