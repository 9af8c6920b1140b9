// Callers of every kind, who ask again and again until told to stop, and do not mind how it ends.
import { setTimeout as wait } from 'node:timers/promises';
import type { RouterProcess } from '../support/router-process.ts';
import { keys } from './mixed-fleet.ts';

interface Caller {
  readonly path: string;
  /** A text goes as it is. */
  readonly body: object | string;
  readonly key?: string;
  /** Hangs up after so long, whatever came. */
  readonly patienceMs?: number;
  readonly pauseMs: number;
  /** So many of them at once. */
  readonly count: number;
}

const chatPath = '/v1/chat/completions';
const messages = [{ role: 'user', content: 'Tell me about switches.' }];
const chat = { model: 'chat', messages };
const longest = { max_tokens: 12 };

const callers: readonly Caller[] = [
  { path: chatPath, body: { ...chat, stream: true, stream_options: { include_usage: true } }, pauseMs: 20, count: 4 },
  { path: chatPath, body: { ...chat, stream: true }, patienceMs: 60, pauseMs: 150, count: 1 },
  { path: chatPath, body: chat, pauseMs: 50, count: 2 },
  { path: chatPath, body: chat, key: keys.small, pauseMs: 150, count: 1 },
  { path: '/v1/embeddings', body: { model: 'embed', input: 'switches' }, pauseMs: 100, count: 1 },
  // One at a time finds room, some wait, some wait too long, and some are not even let wait.
  { path: chatPath, body: { model: 'narrow', messages, stream: true, ...longest }, pauseMs: 50, count: 6 },
  { path: chatPath, body: { model: 'narrow', messages, ...longest }, patienceMs: 300, pauseMs: 200, count: 1 },
  { path: chatPath, body: { model: 'gone', messages, stream: true }, pauseMs: 200, count: 1 },
  { path: chatPath, body: { model: 'no-such-model', messages }, pauseMs: 300, count: 1 },
  { path: chatPath, body: chat, key: 'sk-of-nobody', pauseMs: 400, count: 1 },
  { path: chatPath, body: '{"model": ', pauseMs: 500, count: 1 },
];

export interface MixedLoad {
  /** Resolves when every caller has gone. */
  readonly stop: () => Promise<void>;
}

/** Goes to the routers in turn. */
export function startMixedLoad(routers: readonly RouterProcess[]): MixedLoad {
  const over = new AbortController();
  const urls = routers.map(({ url }) => url);
  const all = callers.flatMap((caller) => Array.from({ length: caller.count }, () => keepAsking(caller)));

  async function keepAsking(caller: Caller): Promise<void> {
    for (let n = 0; !over.signal.aborted; n++) {
      await ask(urls[n % urls.length] ?? '', caller, over.signal);
      await wait(caller.pauseMs);
    }
  }

  return {
    async stop() {
      over.abort();
      await Promise.all(all);
    },
  };
}

async function ask(url: string, { path, body, key = keys.research, patienceMs }: Caller, over: AbortSignal) {
  const signal = patienceMs === undefined ? over : AbortSignal.any([over, AbortSignal.timeout(patienceMs)]);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: text, signal });
    await answer.arrayBuffer();
  } catch {
    // Broken streams and hang-ups are what they are here for.
  }
}
