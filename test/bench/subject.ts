// What is measured: something that stands between callers and the mock engine, started with the settings its own documentation
// advises for production.
import type { Started } from './processes.ts';

export interface Subject {
  readonly name: string;
  /** In a few words: version, and what is switched on. */
  readonly about: string;
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
  /** Absent: nothing stands in between. */
  readonly process?: Started;
  /** What it needs beside its own process, such as a Redis. */
  stop(): Promise<void>;
}

export const chatPath = '/v1/chat/completions';

/** Waits until it answers a request as it should. */
export async function untilServing(
  { url, headers }: Pick<Serving, 'url' | 'headers'>,
  body: string,
  withinMs = 60_000,
): Promise<void> {
  const until = performance.now() + withinMs;
  let last = 'no answer';
  while (performance.now() < until) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        signal: AbortSignal.timeout(5_000),
      });
      const text = await response.text();
      if (response.status === 200 && text.includes('xxxx')) return;
      last = `${response.status} ${text.slice(0, 200)}`;
    } catch (cause) {
      last = cause instanceof Error ? cause.message : String(cause);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it does not serve: ${last}`);
}
