// One request on undici's low-level dispatch: no stream, promise or copy per chunk.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { HeaderMap } from '../engines/engine.ts';
import type { TransportFailure, Upstream, UpstreamCall, UpstreamHandler } from '../routing/ports.ts';
import type { Connections } from './connections.ts';

export function createUpstream(connections: Connections): Upstream {
  return {
    send(backend, request, handler) {
      const { dispatcher, prefix } = connections.to(backend);
      const call = new Call(handler);
      dispatcher.dispatch(
        { path: prefix + request.path, method: 'POST', headers: request.headers.flat(), body: request.body },
        call,
      );
      return call;
    },
  };
}

/** Turns undici's callbacks into ours, and lets nothing through once it has ended or was aborted. */
export class Call implements Dispatcher.DispatchHandler, UpstreamCall {
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
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { kind: wasConnected ? 'broken' : 'unreachable', code };
}
