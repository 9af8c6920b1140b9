// The least that stands in front of replicas: TCP connections by turns to those whose /readyz says so, looked at all the time.
// A connection that is refused is refused to the caller, too: a replica must listen until nobody is sent to it any more.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fetchText } from './router.ts';

const lookEveryMs = 200;

export class Balancer {
  readonly #server: Server;
  readonly #ports: readonly number[];
  readonly #sockets = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;
  #ready: readonly number[] = [];
  #turn = 0;

  static async start(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    await balancer.look();
    return balancer;
  }

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#pass(socket));
    this.#timer = setInterval(() => void this.look(), lookEveryMs);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get ready(): number {
    return this.#ready.length;
  }

  async look(): Promise<void> {
    const statuses = await Promise.all(this.#ports.map((port) => fetchText(port, '/readyz')));
    this.#ready = this.#ports.filter((_, at) => statuses[at]?.status === 200);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(caller: Socket): void {
    const port = this.#ready[this.#turn++ % Math.max(1, this.#ready.length)];
    if (port === undefined) return void caller.resetAndDestroy();
    const replica = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const [one, other] of [
      [caller, replica],
      [replica, caller],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      // A break on one side is one on the other: half an answer must not look like a whole one.
      one.on('error', () => other.resetAndDestroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        if (!one.readableEnded) other.destroy();
      });
    }
  }
}
