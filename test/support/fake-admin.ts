// An admin listener that says what a test has it say, so that verbs meet every answer there is. It lives as long as one test.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { BackendReport, FleetReport } from '../../src/fleet/report.ts';
import { aBackend, aReport as aQuietReport, at } from './a-report.ts';

export interface FakeAdmin {
  readonly url: string;
  readonly port: number;
  /** As they came: `GET /fleet`. */
  readonly requests: readonly {
    readonly line: string;
    readonly token: string | undefined;
    readonly etag: string | undefined;
  }[];
  /** What it says from now on to `GET /path` or `POST /path`, without the query. */
  says(line: string, body: unknown, options?: { readonly status?: number; readonly etag?: string }): void;
  /** Takes the request and says nothing. */
  hangs(line: string): void;
  close(): Promise<void>;
}

/** Call at the top of a test file; what it returns starts one. */
export function fakeAdminsOfTest(): (port?: number) => Promise<FakeAdmin> {
  const started: FakeAdmin[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.close()));
  });
  return async (port = 0) => {
    const admin = await startFakeAdmin(port);
    started.push(admin);
    return admin;
  };
}

interface Said {
  readonly text: string;
  readonly status: number;
  readonly etag: string | undefined;
}

async function startFakeAdmin(port: number): Promise<FakeAdmin> {
  const answers = new Map<string, Said>();
  const hanging = new Set<string>();
  const requests: { line: string; token: string | undefined; etag: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const etag = headers['if-none-match'];
    requests.push({ line: `${method} ${url}`, token: headers.authorization, etag });
    const route = `${method} ${url.split('?')[0]}`;
    if (hanging.has(route)) return;
    const said = answers.get(route);
    if (said === undefined)
      response.writeHead(404).end(JSON.stringify(refusal('not_found', 'There is nothing at this path.')));
    else if (said.etag !== undefined && said.etag === etag) response.writeHead(304).end();
    else response.writeHead(said.status, said.etag === undefined ? {} : { etag: said.etag }).end(said.text);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port; // it listens on TCP
  return {
    url: `http://127.0.0.1:${own}`,
    port: own,
    requests,
    says(line, body, { status = 200, etag } = {}) {
      answers.set(line, { text: typeof body === 'string' ? body : JSON.stringify(body), status, etag });
    },
    hangs: (line) => void hanging.add(line),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What the router says when it does not do something. */
export function refusal(type: string, message: string): unknown {
  return { error: { type, message } };
}

/** Of a router that has run for an hour, with one busy backend. */
export function aReport(fields: Partial<FleetReport> = {}): FleetReport {
  return aQuietReport({ now: at(3_600), backends: [aBackendReport()], models: [], ...fields });
}

export function aBackendReport(fields: Partial<BackendReport> = {}): BackendReport {
  const load = { in_flight: 3, max_in_flight: null, running: 3, kv_cache: 0.41 } as const;
  return aBackend({ ...load, last_change: { at: at(3_480), what: 'up' }, ...fields });
}

/** Taken out for maintenance. */
export function aDrainingReport(inFlight: number): FleetReport {
  return aReport({
    backends: [aBackendReport({ name: 'gpu-b', state: 'draining', admin_state: 'draining', in_flight: inFlight })],
  });
}
