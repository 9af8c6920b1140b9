// A loopback proxy in front of a server, for slow links and for partitions in which nothing is refused or reset: bytes,
// ends and failures of connections are held back in order.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Flow } from './flow.ts';

export interface OneWayMs {
  readonly toServer: number;
  readonly toClient: number;
}

export class TcpProxy {
  /** That of the server, login included, with the port of the proxy. */
  readonly url: string;
  readonly port: number;
  /** Applies to what arrives from now on; a number holds both ways, so a round trip takes twice as long. */
  delayMs: number | OneWayMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #flows = new Set<Flow>();
  #paused = false;

  private constructor(server: Server, port: number, target: URL) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket: Socket) => this.#join(socket, Number(target.port)));
    const own = new URL(target);
    own.port = String(port);
    this.url = own.href;
  }

  /** In front of the server that this URL names, which must be on 127.0.0.1 and need not run yet. */
  static async start(url: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new TcpProxy(server, address.port, new URL(url));
  }

  get openConnections(): number {
    return this.#sockets.size / 2;
  }

  /** A black hole: connections come about, and nothing passes in either direction. */
  pause(): void {
    this.#paused = true;
    for (const flow of this.#flows) flow.pause();
  }

  /** Passes on what was held. */
  resume(): void {
    this.#paused = false;
    for (const flow of this.#flows) flow.resume();
  }

  /** Destroys all connections with what they hold; new ones are still taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #join(client: Socket, port: number): void {
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const flows = [
      new Flow(client, server, () => this.#delayMs('toServer')),
      new Flow(server, client, () => this.#delayMs('toClient')),
    ];
    for (const flow of flows) {
      this.#flows.add(flow);
      if (this.#paused) flow.pause();
    }
    let open = 2;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        open -= 1;
        if (open === 0) for (const flow of flows) this.#flows.delete(flow);
      });
    }
  }

  #delayMs(way: keyof OneWayMs): number {
    return typeof this.delayMs === 'number' ? this.delayMs : this.delayMs[way];
  }
}

export function startTcpProxy(url: string): Promise<TcpProxy> {
  return TcpProxy.start(url);
}
