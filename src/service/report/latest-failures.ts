// What has failed of late: requests, and attempts that another backend has made good. A few words of each, never a message.
import type { FailureReport } from '../../fleet/report.ts';
import type { AttemptEnded, ExchangeSettled } from '../../routing/ports.ts';
import { isFault, isFaultOfBackend } from './faults.ts';
import { Newest } from './newest.ts';

export type Failure = Omit<FailureReport, 'at'> & { readonly atMs: number };

const most = 50;

export class LatestFailures {
  readonly #newest = new Newest<Failure>(most);
  readonly #added: (failure: Failure) => void;
  /** The last failed attempt of each request that runs: whether it ends well is not known yet. */
  readonly #open = new Map<string, Failure>();

  /** `added`: told of each. */
  constructor(added: (failure: Failure) => void = () => {}) {
    this.#added = added;
  }

  add(failure: Failure): void {
    this.#newest.add(failure);
    this.#added(failure);
  }

  attempted({ requestId, endpoint, tenant, model, backend, error }: AttemptEnded, atMs: number): void {
    this.#close(requestId);
    if (!isFaultOfBackend(error)) return;
    const { code, row, status } = error;
    const told = { requestId, endpoint, tenant, model, backend };
    this.#open.set(requestId, failureOf('attempt', { ...told, error: code, source: row.source, status, atMs }));
  }

  settled(event: ExchangeSettled, atMs: number): void {
    const { requestId, error } = event;
    if (!isFault(error)) {
      this.#close(requestId);
      return;
    }
    // The request tells it already.
    this.#open.delete(requestId);
    const { endpoint, tenant, status } = event;
    const where = { model: event.model ?? null, backend: event.backend ?? null };
    const told = { requestId, endpoint, tenant, ...where, error: error.code, source: error.row.source, status, atMs };
    this.add(failureOf('request', told));
  }

  /** Newest first. */
  list(): readonly Failure[] {
    return this.#newest.list();
  }

  /** Attempts whose request still runs; for tests. */
  get open(): number {
    return this.#open.size;
  }

  #close(requestId: string): void {
    const attempt = this.#open.get(requestId);
    if (attempt === undefined) return;
    this.#open.delete(requestId);
    this.add(attempt);
  }
}

function failureOf(
  kind: Failure['kind'],
  { requestId, ...rest }: Omit<Failure, 'kind' | 'request_id'> & { readonly requestId: string },
): Failure {
  return { request_id: requestId, kind, ...rest };
}
