// Connections to backends: one undici pool each. A pool never queues, because slots bound what is sent, so every
// request gets a socket of its own. Options and their reasons were measured: a pool's queue is covered by no timeout,
// HTTP/2 would let one stall everybody, and uvicorn and llama-server close idle sockets after 5 s without a hint.
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Backend } from '../fleet/fleet.ts';
import { openLine } from './line.ts';

export interface Connection {
  readonly dispatcher: Dispatcher;
  /** Each of its requests gets a new socket. */
  readonly fresh: Dispatcher;
  /** How many sockets were opened so far, or begun to be. */
  opened(): number;
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
  const pools = new Map<string, Connection & { readonly dispatcher: Pool; readonly fresh: Pool }>();
  return {
    to(backend) {
      const known = pools.get(backend.name);
      if (known !== undefined) return known;
      const url = new URL(urlOf(backend));
      let opened = 0;
      const count = () => {
        opened++;
      };
      const connection = {
        dispatcher: openPool(url, backend, { pipelining: 1, count }),
        // Without pipelining there is no keeping alive. It opens nothing before it is used.
        fresh: openPool(url, backend, { pipelining: 0, count }),
        opened: () => opened,
        origin: url.origin,
        prefix: url.pathname.replace(/\/+$/, ''),
      };
      pools.set(backend.name, connection);
      return connection;
    },
    queued() {
      let queued = 0;
      for (const { dispatcher, fresh } of pools.values()) queued += dispatcher.stats.queued + fresh.stats.queued;
      return queued;
    },
    open: () =>
      new Map(
        [...pools].map(([name, { dispatcher, fresh }]) => [name, dispatcher.stats.connected + fresh.stats.connected]),
      ),
    async close() {
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.flatMap(({ dispatcher, fresh }) => [dispatcher.destroy(), fresh.destroy()]));
    },
  };
}

interface PoolWishes {
  readonly pipelining: 0 | 1;
  /** Told of each new socket. */
  readonly count: () => void;
}

function openPool(url: URL, backend: Backend, { pipelining, count }: PoolWishes): Pool {
  const open = buildConnector({ timeout: backend.timeouts.connectMs + 1_000, keepAlive: true, allowH2: false });
  return new Pool(url.origin, {
    connections: null,
    pipelining,
    allowH2: false,
    keepAliveTimeout: 3_000,
    keepAliveMaxTimeout: 30_000,
    keepAliveTimeoutThreshold: 2_000,
    // Timers of the router's own are exact and know what they wait for; undici's only sweep up behind them.
    headersTimeout: 0,
    bodyTimeout: 0,
    factory: (_origin, options) => openLine(url, { options, open, count }),
  });
}
