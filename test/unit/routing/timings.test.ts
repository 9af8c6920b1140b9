import { describe, expect, it } from 'vitest';
import { startAttempt } from '../../support/fake-delivery.ts';
import { Timings } from '../../../src/routing/timings.ts';

const sse = { 'content-type': 'text/event-stream' };
const role = Buffer.from('data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n');
const content = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n');

describe('the time in the router', () => {
  it('is what lies between the last byte of the request and the attempt, without the waiting', () => {
    const timings = new Timings(0);
    expect(timings.routeMs(90, 0)).toBe(0);
    timings.received(100);
    timings.parsed(102);
    expect([timings.parseMs, timings.routeMs(105, 0)]).toEqual([2, 5]);
    timings.asked(150);
    expect(timings.routeMs(1_000, 40)).toBe(10);
  });

  it('counts what passes between two attempts, and nothing of the attempts', () => {
    const timings = new Timings(0);
    timings.received(0);
    timings.asked(1);
    timings.returned(500);
    timings.asked(503);
    timings.returned(9_000);
    expect(timings.routeMs(9_001, 0)).toBe(5);
  });

  it('begins at the first of the answer to be over, whatever else follows', () => {
    const timings = new Timings(10);
    expect(timings.ttftMs).toBeUndefined();
    timings.answered(40, 39);
    timings.answered(90, 50);
    expect([timings.ttftMs, timings.relayMs]).toEqual([30, 1]);
  });
});

describe('the timings of an attempt', () => {
  it('tell how long it took to connect, and to the first content of a stream', () => {
    const { clock, exchange, handler, ended } = startAttempt();
    clock.advance(3);
    handler.connected();
    clock.advance(4);
    handler.head(200, sse);
    handler.data(role);
    clock.advance(5);
    handler.data(content);
    expect(exchange.summary(clock.now())).toMatchObject({ connectMs: 3, ttftMs: 12, firstTokenMs: 12, relayMs: 0 });
    clock.advance(6);
    handler.data(Buffer.from('data: [DONE]\n\n'));
    handler.ended();
    expect(ended).toMatchObject([{ connectMs: 3, durationMs: 18 }]);
  });

  it('tell of a plain answer when its first byte left, and no first token', () => {
    const { clock, exchange, handler } = startAttempt({ stream: false });
    handler.connected();
    clock.advance(7);
    handler.head(200, { 'content-type': 'application/json' });
    handler.data(Buffer.from('{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}'));
    handler.ended();
    expect(exchange.summary(clock.now())).toMatchObject({ connectMs: 0, ttftMs: 7, firstTokenMs: undefined });
  });

  it('tell nothing that it did not come to', () => {
    const { clock, exchange, handler } = startAttempt();
    handler.failed({ kind: 'unreachable', code: 'ECONNREFUSED' });
    expect(exchange.summary(clock.now())).toMatchObject({
      connectMs: undefined,
      ttftMs: undefined,
      relayMs: undefined,
    });
  });
});
