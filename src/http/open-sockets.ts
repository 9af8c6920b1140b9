// The sockets of a server and what is under way on each: what Node's own server does not tell.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { type AnyServer, isSecure } from './secure.ts';

interface Use {
  /** One, but where requests are sent before the answers to those ahead are there. */
  readonly underWay: ServerResponse[];
  /** Undefined until a request was answered. */
  answered: { readonly atMs: number; readonly bytesRead: number } | undefined;
}

export class OpenSockets {
  readonly #sockets = new Map<Socket, Use>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  watch(server: AnyServer): void {
    if (!isSecure(server)) {
      server.on('connection', (socket: Socket) => this.#keep(socket));
      return;
    }
    // Requests come on another socket than the one that was accepted, once hands are shaken; which it was, Node does not say.
    const shaking = new Map<string, Socket>();
    server.on('connection', (socket: Socket) => {
      const ends = endsOf(socket);
      shaking.set(ends, socket);
      this.#keep(socket);
      socket.once('close', () => {
        if (shaking.get(ends) === socket) shaking.delete(ends);
      });
    });
    server.on('secureConnection', (socket: Socket) => {
      const accepted = shaking.get(endsOf(socket));
      shaking.delete(endsOf(socket));
      if (accepted !== undefined) this.#sockets.delete(accepted);
      this.#keep(socket);
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.set(socket, { underWay: [], answered: undefined });
    socket.once('close', () => this.#sockets.delete(socket));
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Bytes of answers that wait for their callers to read. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const { underWay } of this.#sockets.values())
      for (const response of underWay) bytes += response.writableLength;
    return bytes;
  }

  /** A request has come; it is under way until its response has closed. */
  begin(response: ServerResponse): void {
    const { socket } = response.req;
    const use = this.#sockets.get(socket);
    if (use === undefined) return;
    use.underWay.push(response);
    response.once('close', () => {
      use.underWay.splice(use.underWay.indexOf(response), 1);
      use.answered = { atMs: this.#clock.now(), bytesRead: socket.bytesRead };
    });
  }

  /**
   * Whether an answer can be written to the socket from outside of the app: none has begun, and the requests on it
   * never came in whole, so it is their own end that is at fault.
   */
  isFree(socket: Socket): boolean {
    const use = this.#sockets.get(socket);
    // One that is still shaking hands can carry no answer.
    if (use === undefined) return false;
    return use.underWay.every((response) => !response.headersSent && !response.req.complete);
  }

  /** Ends the sockets on which nothing has come for so long since their last answer, not even a part of a head. */
  closeIdle(ms: number): void {
    const beforeMs = this.#clock.now() - ms;
    for (const [socket, { underWay, answered }] of this.#sockets) {
      const isIdle = answered !== undefined && underWay.length === 0 && answered.bytesRead === socket.bytesRead;
      if (isIdle && answered.atMs <= beforeMs) socket.destroy();
    }
  }

  /** Ends the sockets without a request under way. */
  closeUnused(): void {
    for (const [socket, { underWay }] of this.#sockets) if (underWay.length === 0) socket.destroy();
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
