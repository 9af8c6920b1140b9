// Connections to backends: one undici pool each. A pool never queues, because slots bound what is sent, so every
// request gets a socket of its own. Options and their reasons were measured: a pool's queue is covered by no timeout,
// HTTP/2 would let one stall everybody, and uvicorn and llama-server close idle sockets after 5 s without a hint.
import { type Dispatcher, Pool } from 'undici';
import type { Backend } from '../fleet/fleet.ts';

export interface Connection {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** Path of the backend's URL, without a trailing slash; mostly empty. */
  readonly prefix: string;
}

export interface Connections {
  to(backend: Backend): Connection;
  /** Requests waiting inside a pool; stays 0. */
  queued(): number;
  /** Open sockets per backend. */
  open(): ReadonlyMap<string, number>;
  /** Closes every socket, also those in use. */
  close(): Promise<void>;
}

export interface BackendUrls {
  /** The URL of a backend, also where the router itself has started it. */
  readonly urlOf: (backend: Backend) => string;
}

export function createConnections({ urlOf }: BackendUrls): Connections {
  const pools = new Map<string, Connection & { readonly dispatcher: Pool }>();
  return {
    to(backend) {
      const known = pools.get(backend.name);
      if (known !== undefined) return known;
      const url = new URL(urlOf(backend));
      const connection = {
        dispatcher: openPool(url, backend),
        origin: url.origin,
        prefix: url.pathname.replace(/\/+$/, ''),
      };
      pools.set(backend.name, connection);
      return connection;
    },
    queued() {
      let queued = 0;
      for (const { dispatcher } of pools.values()) queued += dispatcher.stats.queued;
      return queued;
    },
    open: () => new Map([...pools].map(([name, { dispatcher }]) => [name, dispatcher.stats.connected])),
    async close() {
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.map(({ dispatcher }) => dispatcher.destroy()));
    },
  };
}

function openPool(url: URL, backend: Backend): Pool {
  return new Pool(url.origin, {
    connections: null,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 3_000,
    keepAliveMaxTimeout: 30_000,
    keepAliveTimeoutThreshold: 2_000,
    // Timers of the router's own are exact and know what they wait for; undici's only sweep up behind them.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: backend.timeouts.connectMs + 1_000, keepAlive: true },
  });
}
