// Plays a turn in time: the first token after a while, the others at a steady rate. Ends at once when `signal` aborts.
import type { JsonObject } from '../wire/json-value.ts';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { chunksOf, plainAnswer, type Stamp } from './chunks.ts';
import type { Turn } from './turn.ts';

export interface Pace {
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
}

/** @throws AbortError when `signal` aborts. */
export async function play(turn: Turn, response: ServerResponse, pace: Pace, signal: AbortSignal): Promise<void> {
  const stamp = { id: randomUUID(), created: Math.floor(Date.now() / 1000) };
  const until = waiter(pace, signal);
  if (!turn.stream) {
    await until(turn.pieces.length - 1);
    sendJson(response, 200, plainAnswer(turn, stamp));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  response.flushHeaders();
  await stream(response, { turn, stamp, until, signal });
  response.end('data: [DONE]\n\n');
}

/** For a body that is known whole. */
export function sendJson(response: ServerResponse, status: number, body: JsonObject): void {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  response.end(text);
}

interface Playing {
  readonly turn: Turn;
  readonly stamp: Stamp;
  readonly until: Waiter;
  readonly signal: AbortSignal;
}

async function stream(response: ServerResponse, { turn, stamp, until, signal }: Playing): Promise<void> {
  const { opening, tokens, closing } = chunksOf(turn, stamp);
  await until(0);
  response.write(opening.map(frame).join(''));
  for (const [index, token] of tokens.entries()) {
    await until(index);
    if (!response.write(frame(token))) await once(response, 'drain', { signal });
  }
  response.write(closing.map(frame).join(''));
}

function frame(body: JsonObject): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

// Timers take 31 bits; what is above fires at once instead of late.
const longestMs = 2 ** 31 - 1;

/** Waits until the token of that number is due, counted from now, so that late timers do not add up. */
type Waiter = (index: number) => Promise<void>;

function waiter({ firstTokenMs, tokensPerSecond }: Pace, signal: AbortSignal): Waiter {
  const start = performance.now();
  return async (index) => {
    const dueMs = firstTokenMs + (Math.max(index, 0) * 1000) / tokensPerSecond;
    const restMs = start + dueMs - performance.now();
    if (restMs > 0) await setTimeout(Math.min(restMs, longestMs), undefined, { signal });
  };
}
