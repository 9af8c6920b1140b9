// A TCP load balancer as small as one can be: new connections go to the next replica whose /readyz was 200 when it was
// last asked. It knows nothing of requests, as the ones in front of real replicas.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

const askEveryMs = 50;

export class Balancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ready = new Map<number, boolean>();
  readonly #timer: NodeJS.Timeout;
  #turn = 0;
  /** Connections for which nobody was ready, or who refused. */
  refused = 0;

  static async start(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  private constructor() {
    this.#server = createServer((caller) => this.#carry(caller));
    this.#timer = setInterval(() => void this.#ask(), askEveryMs);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  add(port: number): void {
    this.#ready.set(port, false);
  }

  remove(port: number): void {
    this.#ready.delete(port);
  }

  /** Resolves when the replica gets new connections. */
  async ready(port: number): Promise<void> {
    while (this.#ready.get(port) !== true) await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #ask(): Promise<void> {
    await Promise.all(
      [...this.#ready.keys()].map(async (port) => {
        const answered = await fetch(`http://127.0.0.1:${port}/readyz`).then(
          async (response) => {
            await response.text();
            return response.ok;
          },
          () => false,
        );
        if (this.#ready.has(port)) this.#ready.set(port, answered);
      }),
    );
  }

  #carry(caller: Socket): void {
    const ready = [...this.#ready].filter(([, isReady]) => isReady);
    const [port] = ready[this.#turn++ % Math.max(1, ready.length)] ?? [];
    if (port === undefined) {
      this.refused++;
      caller.destroy();
      return;
    }
    const replica = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [caller, replica],
      [replica, caller],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroySoon();
      });
    }
    replica.once('error', () => this.refused++);
  }
}
