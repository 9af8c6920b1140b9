// One connection to the router for one request at a time. What does not come as it should ends the measurement: it never waits for
// ever, and never takes a refusal for an answer.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

type IsWhole = (text: string) => boolean;

const answerWithinMs = 30_000;

export class Line {
  readonly #socket: Socket;
  #text = '';
  #waiting: { readonly isWhole: IsWhole; readonly done: () => void; readonly fail: (cause: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    socket.on('error', () => {});
    socket.on('close', () => this.#waiting?.fail(new Error(`the connection closed: ${this.#text.slice(0, 300)}`)));
  }

  static async open(port: number): Promise<Line> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new Line(socket);
  }

  exchange(bytes: string, isWhole: IsWhole): Promise<void> {
    const came = this.until(isWhole);
    this.#socket.write(bytes);
    return came;
  }

  /** What comes from now on. */
  async until(isWhole: IsWhole): Promise<void> {
    this.#text = '';
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting = { isWhole, done: resolve, fail: reject };
    const timer = setTimeout(() => reject(new Error(`no answer, but ${JSON.stringify(this.#text)}`)), answerWithinMs);
    await promise.finally(() => clearTimeout(timer));
    this.#waiting = undefined;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const isRefused = this.#text.startsWith('HTTP/1.1 ') && !this.#text.startsWith('HTTP/1.1 200 ');
    if (isRefused) this.#waiting?.fail(new Error(`refused: ${this.#text.slice(0, 500)}`));
    else if (this.#waiting?.isWhole(this.#text) === true) this.#waiting.done();
  }
}
