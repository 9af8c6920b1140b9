// The sockets of a server and what is under way on each: what Node's own server does not tell.
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class OpenSockets {
  readonly #sockets = new Map<Socket, Set<ServerResponse>>();

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, new Set());
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Bytes of answers that wait for their callers to read. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const responses of this.#sockets.values()) for (const response of responses) bytes += response.writableLength;
    return bytes;
  }

  /** A request has come; it is under way until its response has closed. */
  begin(response: ServerResponse): void {
    const responses = this.#sockets.get(response.req.socket);
    responses?.add(response);
    response.once('close', () => responses?.delete(response));
  }

  /**
   * Whether an answer can be written to the socket from outside of the app: none has begun, and the requests on it
   * never came in whole, so it is their own end that is at fault.
   */
  isFree(socket: Socket): boolean {
    return [...(this.#sockets.get(socket) ?? [])].every((response) => !response.headersSent && !response.req.complete);
  }

  /** Ends the sockets without a request under way. */
  closeUnused(): void {
    for (const [socket, responses] of this.#sockets) if (responses.size === 0) socket.destroy();
  }
}
