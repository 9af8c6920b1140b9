// Connections to backends: one undici pool each. A pool never queues, because slots bound what is sent, so every
// request gets a socket of its own. Options and their reasons were measured: a pool's queue is covered by no timeout,
// HTTP/2 would let one stall everybody, and uvicorn and llama-server close idle sockets after 5 s without a hint.
import type { LookupFunction } from 'node:net';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { identityOf } from '../fleet/changes.ts';
import type { Backend } from '../fleet/fleet.ts';
import type { BackendTls } from '../fleet/tls.ts';
import { tlsOptions } from './tls-options.ts';
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

export type ConnectionCounts = Readonly<Record<'busy' | 'idle' | 'pending', number>>;

export interface Connections {
  to(backend: Backend): Connection;
  /** Takes over the settings of a backend whose connections stay. */
  update(backend: Backend): void;
  /** Requests waiting inside a pool; stays 0. */
  queued(): number;
  /** Open sockets to a backend: with a request on them, or kept for the next; and requests that wait for theirs. */
  openTo(backend: Backend): ConnectionCounts;
  /** How many backends it keeps connections to. */
  readonly size: number;
  /** Closes every socket to a backend that has left, also those in use. */
  drop(backend: Backend): Promise<void>;
  /** The same for all. */
  close(): Promise<void>;
}

export interface BackendUrls {
  /** The URL of a backend, also where the router itself has started it. */
  readonly urlOf: (backend: Backend) => string;
  /** How their names become addresses. */
  readonly lookup: LookupFunction;
}

interface Pools extends Connection {
  readonly dispatcher: Pool;
  readonly fresh: Pool;
  settings: Backend;
  closed: boolean;
}

export function createConnections({ urlOf, lookup }: BackendUrls): Connections {
  const pools = new Map<string, Pools>();
  // The backends of a fleet are few and live long; to name one by its identity for each request would be waste.
  const known = new WeakMap<Backend, Pools>();
  const find = (backend: Backend) => {
    const found = known.get(backend);
    return found?.closed === false ? found : pools.get(identityOf(backend));
  };
  return {
    to(backend) {
      const found = find(backend) ?? openPools(new URL(urlOf(backend)), backend, lookup);
      if (known.get(backend) !== found) {
        known.set(backend, found);
        pools.set(identityOf(backend), found);
      }
      return found;
    },
    update(backend) {
      const found = find(backend);
      if (found !== undefined) found.settings = backend;
    },
    queued() {
      let queued = 0;
      for (const { dispatcher, fresh } of pools.values()) queued += dispatcher.stats.queued + fresh.stats.queued;
      return queued;
    },
    openTo(backend) {
      const found = find(backend);
      return found === undefined ? none : countsOf(found.dispatcher.stats, found.fresh.stats);
    },
    get size() {
      return pools.size;
    },
    async drop(backend) {
      const found = pools.get(identityOf(backend));
      pools.delete(identityOf(backend));
      if (found !== undefined) await closePools(found);
    },
    async close() {
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.map(closePools));
    },
  };
}

function openPools(url: URL, backend: Backend, lookup: LookupFunction): Pools {
  let opened = 0;
  const count = () => {
    opened++;
  };
  const wishes = { count, lookup, connectMs: () => pools.settings.timeouts.connectMs, tls: backend.tls };
  const pools: Pools = {
    dispatcher: openPool(url, { pipelining: 1, ...wishes }),
    // Without pipelining there is no keeping alive. It opens nothing before it is used.
    fresh: openPool(url, { pipelining: 0, ...wishes }),
    opened: () => opened,
    origin: url.origin,
    prefix: url.pathname.replace(/\/+$/, ''),
    settings: backend,
    closed: false,
  };
  return pools;
}

const none: ConnectionCounts = { busy: 0, idle: 0, pending: 0 };

function countsOf(...stats: readonly Pool['stats'][]): ConnectionCounts {
  const sum = (read: (one: Pool['stats']) => number) => stats.reduce((total, one) => total + read(one), 0);
  return {
    busy: sum(({ running }) => running),
    // The request of a connection that is just ending is counted a moment longer than the connection.
    idle: sum(({ connected, running }) => Math.max(0, connected - running)),
    pending: sum(({ pending }) => pending),
  };
}

async function closePools(pools: Pools): Promise<void> {
  pools.closed = true;
  await Promise.all([pools.dispatcher.destroy(), pools.fresh.destroy()]);
}

interface PoolWishes {
  readonly pipelining: 0 | 1;
  /** Told of each new socket. */
  readonly count: () => void;
  readonly lookup: LookupFunction;
  readonly connectMs: () => number;
  readonly tls: BackendTls | undefined;
}

function openPool(url: URL, { pipelining, count, lookup, connectMs, tls }: PoolWishes): Pool {
  let open: buildConnector.connector | undefined;
  let openMs = 0;
  const connector = () => {
    const ms = connectMs() + 1_000;
    if (open === undefined || openMs !== ms)
      open = buildConnector({ timeout: ms, keepAlive: true, allowH2: false, lookup, ...tlsOptions(tls) });
    openMs = ms;
    return open;
  };
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
    factory: (_origin, options) => openLine(url, { options, count, open: (wishes, done) => connector()(wishes, done) }),
  });
}
