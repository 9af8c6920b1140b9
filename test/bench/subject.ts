// What is measured: something that stands between callers and the mock engine, started with the settings its own documentation
// advises for production.
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Started } from './processes.ts';

export interface Subject {
  readonly name: string;
  /** In a few words: version, and what is switched on. */
  readonly about: string;
  /** A router for inference, as the project itself is one. */
  readonly isPeer?: true;
  /** Brings what it needs, below `.cache/bench`; rejects with why it can't. Left out: it is part of the machine or of the project. */
  install?(): Promise<void>;
  start(place: Place): Promise<Serving>;
}

export interface Place {
  /** Base addresses of mock engines. */
  readonly engines: readonly string[];
  /** Free for it to listen on. */
  readonly port: number;
  /** Empty, and its own. */
  readonly dir: string;
  readonly cores: string | undefined;
}

export interface Serving {
  /** Where chat completions are posted to. */
  readonly url: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Answers 200 once it is ready, where it can be asked. */
  readonly readyUrl?: string;
  /** What it has to say that it does not write to its standard output or error. */
  readonly logFile?: string;
  /** Absent: nothing stands in between. */
  readonly process?: Started;
  /** What it needs beside its own process, such as a Redis. */
  stop(): Promise<void>;
}

export const chatPath = '/v1/chat/completions';

/** Waits until it says that it is ready and answers a request as it should. */
export async function untilServing(
  { url, headers, readyUrl, logFile, process: started }: Serving,
  { body, withinMs }: { readonly body: string; readonly withinMs: number },
): Promise<void> {
  const until = performance.now() + withinMs;
  const post = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body };
  let hasEnded = false;
  void started?.ended.then(() => (hasEnded = true));
  const words = () =>
    `${started?.output ?? ''}${logFile === undefined ? '' : readFileSync(logFile, 'utf8')}`.trim().slice(-1_000);
  let last = 'no answer';
  while (performance.now() < until) {
    if (hasEnded) throw new Error(`it ended: ${words()}`);
    const { status } = readyUrl === undefined ? { status: 200 } : await ask(readyUrl);
    if (status === 200) {
      const answer = await ask(url, post);
      if (answer.status === 200 && answer.text.includes('xxxx')) return;
      last = `${answer.status} ${answer.text.slice(0, 300)}`;
    }
    await setTimeout(10);
  }
  throw new Error(`it does not serve: ${last} ${words()}`);
}

async function ask(url: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    return { status: 0, text: cause instanceof Error ? cause.message : String(cause) };
  }
}
