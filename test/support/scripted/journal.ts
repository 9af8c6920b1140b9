// What a scripted engine saw: one entry for each request, from its head to how it ended.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isJson, type Json } from './dialect.ts';

/**
 * completed: the reply left whole · aborted: the peer hung up first · cut: we ended it early, as told ·
 * stopped: the engine was closed or killed meanwhile
 */
export type Ending = 'open' | 'completed' | 'aborted' | 'cut' | 'stopped';

export interface JournalEntry {
  /** From 1, over all requests of this engine. */
  readonly n: number;
  /** Number of the TCP connection it came on, from 1. */
  readonly connection: number;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values alternate, as sent. */
  readonly rawHeaders: readonly string[];
  /** Complete once `received`. */
  readonly body: Buffer;
  readonly received: boolean;
  /** `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly ending: Ending;
  /** The reply's body as far as it was written, at most its first 4 MiB; comment lines and raw bytes are not in it. */
  readonly sent: Buffer;
  /** The body's top level; empty unless it is a JSON object. */
  readonly json: Json;
}

const maxSentBytes = 4 * 2 ** 20;

export class Entry implements JournalEntry {
  readonly n: number;
  readonly connection: number;
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly startedAt = performance.now();
  body: Buffer = Buffer.alloc(0);
  received = false;
  endedAt: number | undefined;
  ending: Ending = 'open';
  readonly #sent: Buffer[] = [];
  #sentBytes = 0;

  constructor(n: number, connection: number, request: IncomingMessage) {
    this.n = n;
    this.connection = connection;
    this.method = request.method ?? '';
    this.url = request.url ?? '';
    this.path = this.url.split('?', 1)[0] ?? '';
    this.headers = request.headers;
    this.rawHeaders = request.rawHeaders;
  }

  get json(): Json {
    return parsed(this.body) ?? {};
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  wrote(bytes: Buffer | string): void {
    if (this.#sentBytes >= maxSentBytes) return;
    const kept = Buffer.from(bytes);
    this.#sentBytes += kept.length;
    this.#sent.push(kept);
  }

  end(ending: Ending): void {
    if (this.ending !== 'open') return;
    this.ending = ending;
    this.endedAt = performance.now();
  }
}

/** Undefined unless the bytes are a JSON object. */
export function parsed(body: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
