// Callers that send for ever: row 44 of the matrix, at its real times, because those are not for configuring.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { statusesOf } from '../support/raw-http.ts';
import type { Wire } from '../system/wire.ts';
import { faultMatrix } from './matrix.ts';
import { steadily } from './several.ts';

const { fault, wire } = faultMatrix();
const sockets = 1_000;
const bodies = 100;

/** A byte to each, once a second, until all are closed. */
async function dribble(wires: readonly Wire[], atMostSeconds: number): Promise<number> {
  for (let second = 1; second <= atMostSeconds; second++) {
    for (const one of wires) if (!one.closed) one.send('x');
    await sleep(1_000);
    if (wires.every(({ closed }) => closed)) return second;
  }
  return Infinity;
}

fault(
  {
    row: 44,
    when: `${sockets} heads and ${bodies} bodies that come a byte at a time`,
    expected: '408 invalid_request and closed, heads after 10 s and bodies after 60 s; others are served meanwhile',
    timeoutMs: 100_000,
  },
  async (on) => {
    const stand = await on.stand();
    const times = async (): Promise<number[]> => {
      const tookMs = await steadily({ perSecond: 50, seconds: 3 }, async () => {
        const startedMs = performance.now();
        const { status } = await stand.ask();
        expect(status).toBe(200);
        return performance.now() - startedMs;
      });
      return tookMs.toSorted((a, b) => a - b);
    };
    const p99 = (sorted: readonly number[]): number => Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
    const before = await times();
    const heads = await Promise.all(Array.from({ length: sockets }, () => wire(stand.router.port)));
    for (const one of heads) one.send('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ');
    const slow = await Promise.all(Array.from({ length: bodies }, () => wire(stand.router.port)));
    const head =
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n';
    for (const one of slow) one.send(head);
    stand.sent += bodies;
    const ended = Promise.all([dribble(heads, 20), dribble(slow, 75)]);
    const during = await times();
    const [headsAfter, bodiesAfter] = await ended;
    for (const one of [...heads, ...slow]) {
      expect(statusesOf(one.received)).toEqual([408]);
      expect(one.received).toContain('"type":"invalid_request"');
    }
    expect(headsAfter).toBeLessThan(15);
    expect(bodiesAfter).toBeLessThan(70);
    expect((await stand.ask()).status).toBe(200);
    on.saw(`408 ×${sockets + bodies}`, { headsAfter, bodiesAfter }, { p99Ms: [p99(before), p99(during)] });
  },
);
