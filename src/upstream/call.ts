// One request on its way through undici: its callbacks turned into ours, its one end, and the socket that carries it.
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import type { HeaderMap } from '../engines/engine.ts';
import { tlsTroubleOf } from '../fleet/tls.ts';
import type { TransportFailure, UpstreamCall, UpstreamHandler } from '../routing/ports.ts';

/** How a socket ends that the other side has closed: what was written on it never reached anybody. */
const staleCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Turns undici's callbacks into ours, and lets nothing through once it has ended or was aborted. */
export class Call implements Dispatcher.DispatchHandler, UpstreamCall {
  /**
   * Where it may be sent once more: set where it went out on a socket that was kept, which the backend may have closed at that
   * moment. Not a closure: through those of one request and the next V8 keeps all of them until the next full collection.
   */
  again: { readonly dispatcher: Dispatcher; readonly options: Dispatcher.DispatchOptions } | undefined = undefined;
  /** The socket of the line that carries it, also while that is connecting. */
  socket: (() => Socket | undefined) | undefined = undefined;
  readonly #handler: UpstreamHandler;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #over = false;

  constructor(handler: UpstreamHandler) {
    this.#handler = handler;
  }

  abort(closed?: () => void): void {
    if (this.#over) return;
    this.#over = true;
    const socket = this.socket?.();
    if (closed !== undefined) {
      if (socket === undefined || socket.closed) closed();
      else socket.once('close', closed);
    }
    if (this.#controller !== undefined) this.#controller.abort(new Error('aborted'));
    // Still connecting, which undici would go on with.
    else socket?.destroy(new Error('aborted'));
  }

  pause(): void {
    if (!this.#over) this.#controller?.pause();
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Aborted before it had a socket: undici then never writes the request.
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
    if (again !== undefined && staleCodes.has(codeOf(error))) {
      this.#controller = undefined;
      again.dispatcher.dispatch(again.options, this);
      return;
    }
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
  const code = codeOf(error);
  // A server may refuse the certificate of its client after the client took the handshake for done (TLS 1.3): it has read nothing.
  return { kind: wasConnected && tlsTroubleOf(code) === undefined ? 'broken' : 'unreachable', code };
}

export function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
