// The API server of a cluster, as far as EndpointSlices go: lists, watches with versions, and everything that ends a watch.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Cluster } from '../../src/discovery/kubernetes.ts';
import type { Authority } from './certificates.ts';

export interface FakeCluster {
  readonly cluster: Cluster;
  /** Paths with their query, in order. */
  readonly asked: readonly string[];
  readonly tokens: ReadonlySet<string>;
  readonly watching: number;
  /** Answered in place of a list, until it is 200 again. */
  status: number;
  put(slice: object): void;
  remove(name: string): void;
  /** Sent to those who watch, as it is. */
  send(line: string): void;
  /** Ends their connections. */
  cut(): void;
  /** Ends their watches as a server does whose time is up. */
  finish(): void;
  rotateToken(token: string): void;
}

export interface Pod {
  readonly name?: string;
  readonly host: string;
  readonly conditions?: object;
}

export function aSlice(name: string, pods: readonly Pod[], ports: readonly object[] = []): object {
  return {
    kind: 'EndpointSlice',
    metadata: { name },
    addressType: 'IPv4',
    ports,
    endpoints: pods.map(({ name: pod, host, conditions = { ready: true } }) => ({
      addresses: [host],
      conditions,
      ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', name: pod } }),
    })),
  };
}

/** Call at the top of a test file; what it returns starts a cluster. */
export function clustersOfTest(): (authority: Authority) => Promise<FakeCluster> {
  const closings: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closings.splice(0).map((close) => close()));
  });
  return async (authority) => {
    const account = mkdtempSync(join(tmpdir(), 'switchyard-account-'));
    writeFileSync(join(account, 'ca.crt'), authority.ca);
    writeFileSync(join(account, 'token'), 'first-token\n');
    writeFileSync(join(account, 'namespace'), 'lab');
    const slices = new Map<string, object>();
    const watches = new Set<ServerResponse>();
    const asked: string[] = [];
    const tokens = new Set<string>();
    let version = 1;
    let status = 200;
    const { cert, key } = authority.sign();
    const server = createServer({ cert, key }, (request, response) => {
      asked.push(request.url ?? '');
      tokens.add(request.headers.authorization ?? '');
      const url = new URL(request.url ?? '', 'https://cluster');
      if (status !== 200) {
        response.writeHead(status).end('{}');
      } else if (url.searchParams.get('watch') === 'true') {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        watches.add(response);
        response.on('close', () => watches.delete(response));
      } else {
        const items = [...slices.values()];
        response.end(JSON.stringify({ metadata: { resourceVersion: String(version) }, items }));
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    closings.push(async () => {
      const closed = once(server, 'close');
      server.close().closeAllConnections();
      await closed;
      rmSync(account, { recursive: true });
    });
    const send = (line: string) => {
      for (const response of watches) response.write(`${line}\n`);
    };
    const nameOf = (slice: object) => String(Reflect.get(Reflect.get(slice, 'metadata'), 'name'));
    return {
      cluster: { host: '127.0.0.1', port: String(address.port), account },
      asked,
      tokens,
      get watching() {
        return watches.size;
      },
      get status() {
        return status;
      },
      set status(next) {
        status = next;
      },
      put(slice) {
        version++;
        const type = slices.has(nameOf(slice)) ? 'MODIFIED' : 'ADDED';
        slices.set(nameOf(slice), slice);
        send(JSON.stringify({ type, object: slice }));
      },
      remove(name) {
        version++;
        const slice = slices.get(name);
        slices.delete(name);
        send(JSON.stringify({ type: 'DELETED', object: slice }));
      },
      send,
      cut() {
        for (const { socket } of watches) socket?.destroy();
      },
      finish() {
        for (const response of watches) response.end();
      },
      rotateToken: (token) => writeFileSync(join(account, 'token'), token),
    };
  };
}
