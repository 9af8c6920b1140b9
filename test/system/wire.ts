// One TCP connection to a router, byte by byte: for what depends on the connection and not on the request.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class Wire {
  readonly #socket: Socket;
  readonly #watchers = new Set<() => void>();
  #received = '';
  #closed = false;

  static async open(port: number): Promise<Wire> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Wire(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      this.#changed();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#changed();
    });
  }

  get received(): string {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** Resolves once the condition holds. @throws Error when the connection closes before. */
  async when(holds: (wire: Wire) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (holds(this)) resolve();
      else if (this.#closed) reject(new Error(`closed too early, after ${JSON.stringify(this.#received)}`));
    };
    this.#watchers.add(look);
    look();
    await promise.finally(() => this.#watchers.delete(look));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}
