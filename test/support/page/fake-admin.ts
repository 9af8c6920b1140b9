// The admin listener as it is, with a report made up by the test. It can go away and come back on the same port.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { systemClock } from '../../../src/clock.ts';
import type { FleetReport } from '../../../src/fleet/report.ts';
import { createAdminApp } from '../../../src/http/admin.ts';

export const adminToken = 'an-admin-token';

export class FakeAdmin {
  /** What it tells from now on. */
  report: FleetReport;
  /** What a reload comes to. */
  reload: { readonly result: string } & Readonly<Record<string, unknown>> = { result: 'unchanged', config: '3f9c1a' };
  /** Every request: method and path. */
  readonly asked: string[] = [];
  readonly answered: number[] = [];
  #server: Server | undefined;
  #port = 0;

  constructor(report: FleetReport) {
    this.report = report;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async start(): Promise<void> {
    const app = createAdminApp({
      operations: { phase: () => 'ready', discovered: () => true, metrics: () => undefined },
      reads: {
        fleet: () => this.report,
        config: () => ({}),
        diff: () => ({}),
        explain: () => {
          throw new Error('the page asks for no explanation');
        },
      },
      actions: {
        reload: () => Promise.resolve(this.reload),
        drain: (backend, draining) => this.#drain(backend, draining),
      },
      clock: systemClock,
      access: () => ({
        allowedHosts: ['localhost'],
        tokenSha256: createHash('sha256').update(adminToken).digest('hex'),
      }),
      failed: (error) => {
        throw error;
      },
    });
    const handle = app.callback();
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      if (request.url === '/fleet') response.once('finish', () => this.answered.push(response.statusCode));
      void handle(request, response);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen({ host: '127.0.0.1', port: this.#port }, resolve);
    await promise;
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    server.close(resolve);
    server.closeAllConnections();
    await promise;
  }

  #drain(name: string, draining: boolean): { readonly state: string; readonly inFlight: number } | undefined {
    const backend = this.report.backends.find((one) => one.name === name);
    if (backend === undefined) return undefined;
    const state = draining ? 'draining' : 'enabled';
    const now = { ...backend, admin_state: state, state: draining ? 'draining' : 'up' } as const;
    this.report = { ...this.report, backends: this.report.backends.map((one) => (one === backend ? now : one)) };
    return { state, inFlight: backend.in_flight };
  }
}
