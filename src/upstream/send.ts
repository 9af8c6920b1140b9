// One request on undici's low-level dispatch: no stream, promise or copy per chunk.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { HeaderMap } from '../engines/engine.ts';
import type { TransportFailure, Upstream, UpstreamCall, UpstreamHandler } from '../routing/ports.ts';
import type { Connections } from './connections.ts';

export function createUpstream(connections: Connections): Upstream {
  return {
    send(backend, request, handler) {
      const connection = connections.to(backend);
      const { dispatcher, fresh, prefix } = connection;
      const options = {
        path: prefix + request.path,
        method: 'POST',
        headers: request.headers.flat(),
        body: request.body,
      } as const;
      const call = new Call(handler);
      const before = connection.opened();
      dispatcher.dispatch(options, call);
      if (connection.opened() === before) call.again = () => void fresh.dispatch(options, call);
      return call;
    },
  };
}

/** How a socket ends that the other side has closed: what was written on it never reached anybody. */
const staleCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Turns undici's callbacks into ours, and lets nothing through once it has ended or was aborted. */
export class Call implements Dispatcher.DispatchHandler, UpstreamCall {
  /** Set where the request went out on a socket that was kept: the backend may have closed it at that moment. */
  again: (() => void) | undefined = undefined;
  readonly #handler: UpstreamHandler;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #over = false;

  constructor(handler: UpstreamHandler) {
    this.#handler = handler;
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('aborted'));
  }

  pause(): void {
    if (!this.#over) this.#controller?.pause();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Aborted while connecting: undici then never writes the request.
    if (this.#over) return controller.abort(new Error('aborted'));
    this.#controller = controller;
    this.#handler.connected();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.again = undefined;
    if (status >= 200 && !this.#over) this.#handler.head(status, headerMap(headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#handler.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.ended();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    const { again } = this;
    this.again = undefined;
    // Once, on a socket of its own, and nobody's failure.
    if (again !== undefined && staleCodes.has(codeOf(error))) return again();
    this.#over = true;
    this.#handler.failed(transportFailure(error, this.#controller !== undefined));
  }
}

export function headerMap(headers: IncomingHttpHeaders): HeaderMap {
  const map: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) map[name] = Array.isArray(value) ? value.join(', ') : value;
  return map;
}

/** Only `code` tells undici's errors apart; messages may quote what a backend sent. */
function transportFailure(error: Error, wasConnected: boolean): TransportFailure {
  return { kind: wasConnected ? 'broken' : 'unreachable', code: codeOf(error) };
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
